#!/usr/bin/env python3
"""usage: network-policies.py PKI: enforces NetworkPolicies, as a network plugin does, in namespaces with the label bench/network-policies=enforced.

It watches pods, namespaces and policies, and writes one table of nft: what is forwarded to a pod that a policy selects is dropped unless a policy lets it in.
Ingress only. What the node itself sends, as the kubelet's probes, is not forwarded, and always gets through.
"""

import http.client
import json
import ssl
import subprocess
import sys
import threading
import time

PKI = sys.argv[1]
ENFORCED = ("bench/network-policies", "enforced")
TABLE = "bench-network-policies"
PATHS = {"pods": "/api/v1/pods", "namespaces": "/api/v1/namespaces", "policies": "/apis/networking.k8s.io/v1/networkpolicies"}

known = {}  # kind → uid → object
changed = threading.Condition()


def follow(kind):
    context = ssl.create_default_context(cafile=f"{PKI}/ca.crt")
    context.load_cert_chain(f"{PKI}/network-policies.crt", f"{PKI}/network-policies.key")
    while True:
        try:
            watch(kind, http.client.HTTPSConnection("127.0.0.1", 6443, context=context, timeout=330))
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            print(f"{kind}: {error!r}", file=sys.stderr, flush=True)
        time.sleep(0.5)  # the API server is away, or has forgotten the version


def watch(kind, connection):
    connection.request("GET", PATHS[kind])
    listed = json.load(connection.getresponse())
    with changed:
        known[kind] = {item["metadata"]["uid"]: item for item in listed["items"]}
        changed.notify()
    version = listed["metadata"]["resourceVersion"]
    while True:
        connection.request("GET", f"{PATHS[kind]}?watch=1&timeoutSeconds=300&resourceVersion={version}")
        for line in connection.getresponse():
            event = json.loads(line)
            item = event["object"]
            version = item["metadata"]["resourceVersion"]
            with changed:
                if event["type"] == "DELETED":
                    known[kind].pop(item["metadata"]["uid"], None)
                else:
                    known[kind][item["metadata"]["uid"]] = item
                changed.notify()


def selects(selector, labels):
    """An absent or empty selector selects everything."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for rule in selector.get("matchExpressions") or []:
        value, values = labels.get(rule["key"]), rule.get("values") or []
        fits = {"In": value in values, "NotIn": value not in values, "Exists": value is not None, "DoesNotExist": value is None}
        if not fits[rule["operator"]]:
            return False
    return True


def labels_of(item):
    return item["metadata"].get("labels") or {}


def address_of(pod):
    """None where the address is not the pod's own, or may be another pod's by now."""
    status = pod.get("status", {})
    if pod["spec"].get("hostNetwork") or status.get("phase") in ("Succeeded", "Failed"):
        return None
    return status.get("podIP")


def admitted(rule, namespace, namespaces, pods):
    """The sources that a rule names, as matches of nft; an empty match is everybody."""
    peers = rule.get("from") or []
    if not peers:
        return [""]
    addresses, matches = set(), []
    for peer in peers:
        if "ipBlock" in peer:
            but = peer["ipBlock"].get("except") or []
            matches.append(f"ip saddr {peer['ipBlock']['cidr']}" + (f" ip saddr != {{ {', '.join(but)} }}" if but else ""))
            continue
        for pod in pods:
            where = pod["metadata"]["namespace"]
            if "namespaceSelector" in peer:
                is_there = selects(peer["namespaceSelector"], labels_of(namespaces.get(where, {"metadata": {}})))
            else:
                is_there = where == namespace
            if is_there and selects(peer.get("podSelector") or {}, labels_of(pod)):
                addresses.add(address_of(pod))
    addresses.discard(None)
    return matches + ([f"ip saddr {{ {', '.join(sorted(addresses))} }}"] if addresses else [])


def ports_of(rule, pod):
    """The ports of a rule, as matches of nft; an empty match is every port."""
    ports = rule.get("ports") or []
    if not ports:
        return [""]
    matches = []
    for port in ports:
        protocol = port.get("protocol", "TCP").lower()
        first = port.get("port")
        if first is None:
            matches.append(f"meta l4proto {protocol}")
        elif isinstance(first, int):
            matches.append(f"{protocol} dport {first}" + (f"-{port['endPort']}" if "endPort" in port else ""))
        else:
            named = [p["containerPort"] for c in pod["spec"]["containers"] for p in c.get("ports") or [] if p.get("name") == first]
            matches += [f"{protocol} dport {number}" for number in named]
    return matches


def rules():
    pods = [pod for pod in known["pods"].values() if address_of(pod) is not None]
    namespaces = {item["metadata"]["name"]: item for item in known["namespaces"].values()}
    lines = []
    for pod in sorted(pods, key=address_of):
        namespace = pod["metadata"]["namespace"]
        if labels_of(namespaces.get(namespace, {"metadata": {}})).get(ENFORCED[0]) != ENFORCED[1]:
            continue
        policies = [
            policy["spec"]
            for policy in known["policies"].values()
            if policy["metadata"]["namespace"] == namespace
            and "Ingress" in (policy["spec"].get("policyTypes") or ["Ingress"])
            and selects(policy["spec"].get("podSelector") or {}, labels_of(pod))
        ]
        if not policies:
            continue
        to = f"ip daddr {address_of(pod)}"
        for rule in (rule for spec in policies for rule in spec.get("ingress") or []):
            for source in admitted(rule, namespace, namespaces, pods):
                lines += [" ".join(filter(None, [to, source, port, "accept"])) for port in ports_of(rule, pod)]
        lines.append(f"{to} drop")
    chain = ["type filter hook forward priority filter; policy accept;", "ct state established,related accept", *lines]
    body = "\n".join(f"    {line}" for line in chain)
    return f"table ip {TABLE}\ndelete table ip {TABLE}\ntable ip {TABLE} {{\n  chain forward {{\n{body}\n  }}\n}}\n"


def main():
    for kind in PATHS:
        threading.Thread(target=follow, args=[kind], daemon=True).start()
    written = None
    while True:
        with changed:
            wanted = rules() if len(known) == len(PATHS) else None
            if wanted == written:
                changed.wait()
                continue
        if wanted is not None:
            subprocess.run(["nft", "-f", "-"], input=wanted, text=True, check=True)
        written = wanted


main()
