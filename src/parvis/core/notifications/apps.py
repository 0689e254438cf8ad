from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "parvis.core.notifications"
    label = "notifications"
    verbose_name = "Messages"
