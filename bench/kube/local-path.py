#!/usr/bin/env python3
"""usage: local-path.py PKI ROOT SEEDS: makes the volumes of StorageClass local-path as directories below ROOT, as K3s's provisioner does.

A volume is a hostPath of the node that the scheduler has chosen. Its directory is open to everybody, nobody changes owners in it, and no size is enforced.
What is in SEEDS for a claim fills its volume, as with the other storage classes.
"""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import time

PKI, ROOT, SEEDS = sys.argv[1:]
CLASS, PROVISIONER = "local-path", "rancher.io/local-path"
CLAIMS, VOLUMES = "/api/v1/persistentvolumeclaims", "/api/v1/persistentvolumes"
CHOSEN_NODE, MADE_BY = "volume.kubernetes.io/selected-node", "pv.kubernetes.io/provisioned-by"

context = ssl.create_default_context(cafile=f"{PKI}/ca.crt")
context.load_cert_chain(f"{PKI}/local-path.crt", f"{PKI}/local-path.key")


def call(method, path, body=None):
    connection = http.client.HTTPSConnection("127.0.0.1", 6443, context=context, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    # What is there or gone already was done by an earlier round.
    if response.status >= 300 and response.status not in (404, 409):
        raise OSError(f"{method} {path}: {response.status} {text[:300]!r}")
    return json.loads(text)


def waits(claim):
    chosen = CHOSEN_NODE in (claim["metadata"].get("annotations") or {})
    return chosen and claim["spec"].get("storageClassName") == CLASS and "volumeName" not in claim["spec"]


def provision(claim, name):
    metadata, spec = claim["metadata"], claim["spec"]
    directory = os.path.join(ROOT, f"{name}_{metadata['namespace']}_{metadata['name']}")
    os.makedirs(directory, exist_ok=True)
    fill(directory, os.path.join(SEEDS, metadata["namespace"], metadata["name"] + ".img"))
    os.chown(directory, 0, 0)
    os.chmod(directory, 0o777)
    identity = {key: metadata[key] for key in ("namespace", "name", "uid")}
    node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [metadata["annotations"][CHOSEN_NODE]]}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {MADE_BY: PROVISIONER}},
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **identity},
            "hostPath": {"path": directory, "type": "DirectoryOrCreate"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [node]}]}},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": CLASS,
            "volumeMode": "Filesystem",
        },
    }
    call("POST", VOLUMES, volume)
    print(f"made {directory}", flush=True)


def fill(directory, seed):
    """The files of an ext4 image, which is used up."""
    if not os.path.exists(seed):
        return
    mounted = os.path.join(ROOT, ".seed")
    os.makedirs(mounted, exist_ok=True)
    subprocess.run(["mount", "-o", "loop,ro", seed, mounted], check=True)
    try:
        subprocess.run(["cp", "-a", f"{mounted}/.", directory], check=True)
    finally:
        subprocess.run(["umount", mounted], check=True)
    os.rmdir(os.path.join(directory, "lost+found"))
    os.remove(seed)


def is_released(volume):
    made_here = (volume["metadata"].get("annotations") or {}).get(MADE_BY) == PROVISIONER
    deleted = volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    return made_here and deleted and volume.get("status", {}).get("phase") == "Released"


def one_round():
    # The claims first: what was made for them before is then among the volumes.
    claims = call("GET", CLAIMS)["items"]
    volumes = {volume["metadata"]["name"]: volume for volume in call("GET", VOLUMES)["items"]}
    names = set(volumes)
    for claim in filter(waits, claims):
        name = f"pvc-{claim['metadata']['uid']}"
        if name not in names:
            provision(claim, name)
            names.add(name)
    for name in [name for name, volume in volumes.items() if is_released(volume)]:
        call("DELETE", f"{VOLUMES}/{name}")
    for entry in os.listdir(ROOT):
        if entry.startswith("pvc-") and entry.split("_")[0] not in names:
            shutil.rmtree(os.path.join(ROOT, entry))


while True:
    try:
        one_round()
    except (OSError, http.client.HTTPException, ValueError, KeyError, subprocess.CalledProcessError) as error:
        print(repr(error), file=sys.stderr, flush=True)
    time.sleep(0.5)
