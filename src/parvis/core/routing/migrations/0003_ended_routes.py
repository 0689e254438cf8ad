from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('routing', '0002_task_barred'),
    ]

    operations = [
        migrations.AlterField(
            model_name='route',
            name='state',
            field=models.CharField(choices=[('running', 'En cours'), ('done', 'Terminé'), ('failed', 'En échec'), ('ended', 'Interrompu')], default='running', max_length=10, verbose_name='état'),
        ),
        migrations.AlterField(
            model_name='routestep',
            name='state',
            field=models.CharField(choices=[('waiting', 'À venir'), ('current', 'En cours'), ('done', 'Faite'), ('failed', 'En échec'), ('dropped', 'Sans suite')], default='waiting', max_length=10),
        ),
    ]
