#!/usr/bin/python3
"""Writes the rings of a Swift with one disk: make-rings.py DIRECTORY ACCOUNT_PORT CONTAINER_PORT OBJECT_PORT"""
import os
import sys

from swift.common.ring import RingBuilder

directory, account_port, container_port, object_port = sys.argv[1], *map(int, sys.argv[2:])
try:
    os.setxattr(directory, 'user.stowage', b'1')
except OSError as error:
    sys.exit('Swift keeps metadata in extended attributes, and %s has none (%s). Choose another directory.'
             % (directory, error.strerror))
rings = {'account': account_port, 'container': container_port, 'object': object_port, 'object-1': object_port}
for name, port in rings.items():
    builder = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
    builder.add_dev({'id': 0, 'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': port, 'device': 'd1', 'weight': 1.0,
                     'replication_ip': '127.0.0.1', 'replication_port': port, 'meta': ''})
    builder.rebalance(seed='stowage')
    builder.get_ring().save(os.path.join(directory, name + '.ring.gz'))
