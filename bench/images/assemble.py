#!/usr/bin/env python3
"""usage: assemble.py BASE DIR: makes DIR/images.tar, an OCI archive of all images, from BASE and DIR/layers/*.

Each layer is one uncompressed tar, stored once however many images share it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys

base, out = sys.argv[1:]
layout = os.path.join(out, "oci")
blobs = os.path.join(layout, "blobs", "sha256")
os.makedirs(blobs)

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENTRYPOINT = "/opt/bitnami/scripts/postgresql/"


def server(major):
    return {
        "layers": ["base", "postgresql-client", f"postgresql-{major}", f"server-{major}"],
        "config": {
            "User": "1001",
            "WorkingDir": "/",
            "ExposedPorts": {"5432/tcp": {}},
            "Entrypoint": [ENTRYPOINT + "entrypoint.sh"],
            "Cmd": [ENTRYPOINT + "run.sh"],
            "Env": [
                f"PATH=/opt/bitnami/postgresql/bin:{PATH}",
                "LANG=en_US.UTF-8",
                "LANGUAGE=en_US:en",
                "HOME=/",
                "BITNAMI_APP_NAME=postgresql",
                "POSTGRESQL_VOLUME_DIR=/bitnami/postgresql",
                "POSTGRESQL_DATA_DIR=/bitnami/postgresql/data",
                "PGDATA=/bitnami/postgresql/data",
            ],
        },
    }


def upgrade(*layers):
    return {
        "layers": ["base", "postgresql-client", *layers],
        "config": {
            "WorkingDir": "/var/lib/postgresql",
            "Entrypoint": ["docker-upgrade"],
            "Cmd": ["pg_upgrade"],
            "Env": [
                f"PATH={PATH}:/usr/lib/postgresql/14/bin",
                "LANG=en_US.utf8",
                "PG_MAJOR=14",
                "PGBINOLD=/usr/lib/postgresql/12/bin",
                "PGBINNEW=/usr/lib/postgresql/14/bin",
                "PGDATAOLD=/var/lib/postgresql/12/data",
                "PGDATANEW=/var/lib/postgresql/14/data",
            ],
        },
    }


both = upgrade("postgresql-12", "postgresql-14", "upgrade")
application = {"layers": ["base", "application"], "config": {"Env": [f"PATH={PATH}"], "User": "1001", "Entrypoint": ["/writer"], "Cmd": ["idle"]}}
IMAGES = {
    "cciserver.azurecr.io/server-postgres:12.16.37-7629bfd": server(12),
    "cciserver.azurecr.io/server-postgres:12.22.1872-migrator": server(12),
    "cciserver.azurecr.io/server-postgres:14.22.4094-4922444": server(14),
    "docker.io/circleci/server-postgres:14.22.4094-4922444": server(14),
    "cciserver.azurecr.io/server-postgres-upgrade:12-14": both,
    "docker.io/circleci/server-postgres-upgrade:12-14": both,
    "cciserver.azurecr.io/server-postgres-upgrade:12-14-pauses-while-linking": upgrade("postgresql-12", "postgresql-14", "upgrade", "pauses-while-linking"),
    "cciserver.azurecr.io/server-postgres-upgrade:14-only": upgrade("postgresql-14", "upgrade"),
    "bench.local/application:1": application,
    "bench.local/pause:1": {"layers": ["base"], "config": {"Env": [f"PATH={PATH}"], "Cmd": ["sleep", "infinity"]}},
}


def store(path):
    """Moves a file to where its digest says, and describes it."""
    with open(path, "rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(f.read()).hexdigest()
    size = os.path.getsize(path)
    shutil.move(path, os.path.join(blobs, digest))
    return {"digest": f"sha256:{digest}", "size": size}


def store_json(value):
    path = os.path.join(out, "blob.json")
    with open(path, "w") as f:
        json.dump(value, f)
    return store(path)


def layer(name):
    directory = base if name == "base" else os.path.join(out, "layers", name)
    path = os.path.join(out, "layer.tar")
    subprocess.run(["tar", "--sort=name", "--mtime=@0", "--numeric-owner", "-C", directory, "-cf", path, "."], check=True)
    return {"mediaType": "application/vnd.oci.image.layer.v1.tar", **store(path)}


layers = {name: layer(name) for name in sorted({n for image in IMAGES.values() for n in image["layers"]})}
manifests = []
for name, image in IMAGES.items():
    own = [layers[n] for n in image["layers"]]
    config = store_json({
        "architecture": "amd64",
        "os": "linux",
        "config": image["config"],
        "rootfs": {"type": "layers", "diff_ids": [each["digest"] for each in own]},
    })
    manifest = store_json({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": own,
    })
    manifests.append({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        **manifest,
        "annotations": {"io.containerd.image.name": name},
    })
with open(os.path.join(layout, "oci-layout"), "w") as f:
    json.dump({"imageLayoutVersion": "1.0.0"}, f)
with open(os.path.join(layout, "index.json"), "w") as f:
    json.dump({"schemaVersion": 2, "manifests": manifests}, f)
subprocess.run(["tar", "-C", layout, "-cf", os.path.join(out, "images.tar"), "oci-layout", "index.json", "blobs"], check=True)
shutil.rmtree(layout)
