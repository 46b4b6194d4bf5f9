"""Whom a container finds around it: a server of names, and an API server that speaks TLS."""

import contextlib
import fcntl
import http.server
import json
import pathlib
import socket
import socketserver
import ssl
import struct
import subprocess
import threading

#: Of a question and its answer: what kind of record, and that a name is not there.
ADDRESS, NO_SUCH_NAME = 1, 3
#: How an interface is switched on: read the flags, write them, and which one it is.
READ_FLAGS, WRITE_FLAGS, UP = 0x8913, 0x8914, 1


def switch_loopback_on():
    """In a new network even this machine cannot be reached."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_one:
        request = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(any_one, READ_FLAGS, request))
        fcntl.ioctl(any_one, WRITE_FLAGS, struct.pack("16sh14x", b"lo", flags | UP))


class Names:
    """A server of names on port 53, as the cluster's; it knows these names and no others."""

    def __init__(self, known):
        self.asked, known = [], known
        asked = self.asked

        class Question(socketserver.BaseRequestHandler):
            def handle(self):
                question, door = self.request
                name, end = spelled(question)
                kind = struct.unpack_from("!H", question, end)[0]
                asked.append(name)
                found = known.get(name) if kind == ADDRESS else None
                refusal = 0 if name in known else NO_SUCH_NAME
                header = question[:2] + struct.pack("!HHHHH", 0x8180 | refusal, 1, 1 if found else 0, 0, 0)
                answer = struct.pack("!HHHIH", 0xC00C, ADDRESS, 1, 5, 4) + socket.inet_aton(found) if found else b""
                door.sendto(header + question[12 : end + 4] + answer, self.client_address)

        self._server = socketserver.UDPServer(("127.0.0.1", 53), Question)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self):
        """Nobody is answered any more."""
        self._server.shutdown()
        self._server.server_close()


def spelled(question):
    """The name that is asked for, and where the question goes on behind it."""
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode())
        at += 1 + question[at]
    return ".".join(labels).lower(), at + 1


class ApiServer:
    """Speaks TLS under these names, notes what it is asked and by whom and who does not believe it, and answers that it cannot now."""

    def __init__(self, folder, names):
        self.asked = []
        self.rung, self.doubted = threading.Event(), threading.Event()
        asked, rung, doubted = self.asked, self.rung, self.doubted

        class Server(http.server.ThreadingHTTPServer):
            def get_request(self):
                try:
                    return super().get_request()
                except OSError:
                    doubted.set()
                    raise

            def handle_error(self, request, client_address):
                """Whoever asks may end before it is answered: it is told to."""

        class Request(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.headers["Host"], self.path.partition("?")[0], self.headers["Authorization"]))
                rung.set()
                status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 503, "message": "not now"}
                body = json.dumps(status).encode()
                self.send_response(503)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_PATCH = do_GET

            def log_message(self, *said):
                """Whoever asks is noted above."""

        self.authority, key = certificate(folder, names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority, key)
        self._server = Server(("127.0.0.1", 0), Request)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self):
        """Nobody is answered any more."""
        with contextlib.suppress(OSError):
            self._server.shutdown()
        self._server.server_close()


def certificate(folder, names):
    """A certificate for these names that vouches for itself, and its key."""
    certificate, key = pathlib.Path(folder, "server.crt"), pathlib.Path(folder, "server.key")
    wording = pathlib.Path(folder, "server.cnf")
    wording.write_text(
        "[req]\ndistinguished_name=whose\nx509_extensions=for\nprompt=no\n[whose]\nCN=api\n"
        f"[for]\nbasicConstraints=critical,CA:FALSE\nsubjectAltName={','.join(f'DNS:{name}' for name in names)}\n"
    )
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-days", "2", "-config", wording, "-out", certificate, "-keyout", key]
    subprocess.run(words, check=True, capture_output=True)
    return certificate, key
