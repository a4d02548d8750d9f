"""TLS for the load's connections, as the `ssl` module knows it.

Imported only where a target is https: gevent must have patched `ssl` before.
"""

import ssl

from ipvsload.errors import UsageError
from ipvsload.scenario.url import Tls


def client_context(tls: Tls) -> ssl.SSLContext:
    """What connections are made with. Raises UsageError for a file that is not what it should be.

    Every connection makes a whole handshake: sessions are not resumed.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.ca:
        try:
            context.load_verify_locations(tls.ca)
        except OSError as error:
            raise _unreadable("--ca", tls.ca, "certificates", error) from None
    if tls.client_cert:
        try:
            # An encrypted key would ask for its password on the terminal.
            context.load_cert_chain(tls.client_cert, tls.client_key or None, lambda: b"")
        except OSError as error:
            option = "--client-key" if tls.client_key else "--client-cert"
            path = tls.client_key or tls.client_cert
            wanted = "a certificate and its key, without a password,"
            raise _unreadable(option, path, wanted, error) from None
    return context


def refusal(error: ssl.SSLError) -> str:
    """Why a handshake failed, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message.removesuffix('.')}"
    return f"TLS: {(error.reason or 'not understood').lower().replace('_', ' ')}"


def _unreadable(option: str, path: str, what: str, error: OSError) -> UsageError:
    if isinstance(error, ssl.SSLError):
        return UsageError(f"{option} {path}: there are not {what} in this file, as PEM")
    return UsageError(f"{option} {error.filename or path}: {error.strerror}")
