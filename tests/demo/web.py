#!/usr/bin/env python3
"""A web server for demonstrations: says who asked.   web.py NAME PORT

/slow takes three seconds. /large is two megabytes, with a pause of two seconds in the middle. /crash resets the connection
after three seconds, as a server does that is killed.
"""
import http.server
import os
import socket
import struct
import sys
import time


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path in ("/slow", "/crash"):
            time.sleep(3)
        if self.path == "/crash":
            return self.crash()
        if self.path == "/large":
            return self.answer(b"x" * 1_000_000, 2, b"y" * 1_000_000)
        return self.answer(f"hello from the {sys.argv[1]}; you came from {self.client_address[0]}\n".encode())

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        self.rfile.read(size)
        self.answer(f"{size} bytes arrived\n".encode())

    def answer(self, first, pause=0, second=b""):
        self.send_response(200)
        self.send_header("Content-Length", str(len(first) + len(second)))
        self.end_headers()
        self.wfile.write(first)
        time.sleep(pause)
        self.wfile.write(second)

    def crash(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("", int(sys.argv[2])), Page)
print("ready", flush=True)
server.serve_forever()
