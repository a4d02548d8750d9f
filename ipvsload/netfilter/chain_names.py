"""The names that kube-proxy gives to chains: a hash of the Service's name, and of the server's.

pkg/proxy/iptables/proxier.go: portProtoHash, servicePortEndpointChainName.
pkg/proxy/nftables/proxier.go: hashAndTruncate, servicePortChainNameBase,
servicePortEndpointChainNameBase. Pure.
"""

_PROTOCOL = "tcp"


def _hash(text: str, length: int) -> str:
    # Where they are used: OpenSSL is a tenth of what a director's agent imports.
    from base64 import b32encode
    from hashlib import sha256

    return b32encode(sha256(text.encode()).digest()).decode()[:length]


def service_port(namespace: str, service: str, port: str) -> str:
    """The name in comments: "ns1/svc1:p80"."""
    return f"{namespace}/{service}:{port}"


def iptables_service(name: str) -> str:
    """The chain of the service port `name`: "KUBE-SVC-XPGD46QRK7WJZT7O"."""
    return f"KUBE-SVC-{_hash(name + _PROTOCOL, 16)}"


def iptables_endpoint(name: str, server: str) -> str:
    """The chain of its server "10.180.0.1:80"."""
    return f"KUBE-SEP-{_hash(name + _PROTOCOL + server, 16)}"


def nftables_service(namespace: str, service: str, port: str) -> str:
    """The chain of a service port: "service-ULMVA6XW-ns1/svc1/tcp/p80"."""
    base = f"{namespace}/{service}/{_PROTOCOL}/{port}"
    return f"service-{_hash(base, 8)}-{base}"


def nftables_endpoint(namespace: str, service: str, port: str, server: str) -> str:
    """The chain of its server: "endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80"."""
    host, _, number = server.rpartition(":")
    base = f"{namespace}/{service}/{_PROTOCOL}/{port}__{host}/{number}"
    return f"endpoint-{_hash(base, 8)}-{base}"
