#!/usr/bin/python3
"""Runs one Swift server with the swift.conf beside its own configuration, instead of /etc/swift/swift.conf.

swift-server.py KIND CONFIG     KIND: account-server, container-server, object-server, proxy-server

Swift's servers read rings from `swift_dir`, but swift.conf from a path fixed in swift.common.utils. That path is
set here before anything that reads it is imported, so the lab needs no root and leaves the system as it is.
"""
import os
import sys

from swift.common import utils

kind, config = sys.argv[1:]
utils.SWIFT_CONF_FILE = os.path.join(os.path.dirname(os.path.abspath(config)), 'swift.conf')
utils.HASH_PATH_PREFIX = utils.HASH_PATH_SUFFIX = b''
utils.validate_configuration()

from swift.common import storage_policy  # noqa: E402
from swift.common.wsgi import run_wsgi  # noqa: E402

storage_policy.reload_storage_policies()
if kind == 'object-server':
    from swift.obj import server
    options = {'global_conf_callback': server.global_conf_callback}
else:
    options = {}
sys.exit(run_wsgi(config, kind, verbose=True, **options))
