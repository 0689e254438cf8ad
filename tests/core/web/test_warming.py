"""A web server is warm before its first visitor, and only a web server is."""

import os
import subprocess
import sys

from django.template import engines

from parvis.core.web.warming import warm


def test_the_first_page_of_a_warm_server_compiles_no_template(agent_client, juvignac):
    loader = engines["django"].engine.template_loaders[0]
    loader.reset()
    warm()
    compiled = set(loader.get_template_cache)
    assert agent_client(juvignac, "secretaire").get("/bureau/").status_code == 200
    assert set(loader.get_template_cache) - compiled == set()


def test_a_management_command_does_not_wait_for_the_pages():
    script = "import sys, django; django.setup(); sys.exit('parvis.edemat.actes.views' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": "src"}
    assert subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 0
