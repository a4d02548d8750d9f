"""Whether the certificate at an https address is taken, before anything is sent there.

Otherwise each request would fail, and the reason would be a word in the report.
"""

import socket
from contextlib import suppress

from ipvsload.errors import TestbedError
from ipvsload.scenario.url import HttpTarget

_WITHIN = 10.0
_OF_ANOTHER_NAME = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL's x509_vfy.h."""


def check_certificate(target: HttpTarget) -> None:
    """Make one handshake there, where it is https. Raises TestbedError, and UsageError for files.

    One that does not answer at all is for the run to tell.
    """
    if target.tls is None:
        return
    # gevent has patched it by now.
    import ssl

    from ipvsload.tls import client_context, refusal

    context = client_context(target.tls)
    with suppress(OSError):  # also where there is no way there, or no such name
        try:
            with (
                socket.create_connection((target.host, target.port), _WITHIN) as plain,
                context.wrap_socket(plain, server_hostname=target.host) as secure,
            ):
                # With TLS 1.3 a server judges a client's certificate after the handshake.
                secure.settimeout(0.2)
                secure.recv(1)
        except ssl.SSLError as error:
            raise TestbedError(f"{target}: {refusal(error)}{_advice(error)}") from None


def _advice(error: Exception) -> str:
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OF_ANOTHER_NAME:
            return ": have the URL name the host as the certificate does, or give --insecure"
        return ": name who signed it with --ca FILE, or take any certificate with --insecure"
    if "CERTIFICATE_REQUIRED" in str(error):
        return ": show one with --client-cert FILE"
    return ""
