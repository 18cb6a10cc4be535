#!/usr/bin/env python3
"""A web server for the demonstration: says who asked; /slow takes three seconds.   web.py NAME PORT"""
import http.server
import sys
import time


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(3)
        body = f"hello from the {sys.argv[1]}; you came from {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("", int(sys.argv[2])), Page)
print("ready", flush=True)
server.serve_forever()
