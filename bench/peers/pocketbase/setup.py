"""Makes a PocketBase data folder with the shop's users and posts in it.

usage: setup.py POCKETBASE SHOP FOLDER PORT

The collections are made through PocketBase's own API, so that its tables and indexes are as it wants
them; the rows are then copied from the shop's file while the server is stopped. A row's id is the
shop's, padded to the 15 characters that PocketBase asks for.
"""

import json
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

EMAIL, PASSWORD = "bench@example.com", "only-for-measuring"


def call(base, path, body, token=""):
    headers = {"content-type": "application/json", "authorization": token}
    request = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def wait_for(base):
    for _ in range(500):
        try:
            urllib.request.urlopen(base + "/api/health").close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
    sys.exit("PocketBase did not answer")


def collection(name, fields):
    text = {"type": "text"}
    return {
        "name": name,
        "type": "base",
        "listRule": "",
        "viewRule": "",
        "fields": [{"name": field, **(text if kind == "text" else {"type": kind})} for field, kind in fields],
    }


def make_collections(base):
    login = {"identity": EMAIL, "password": PASSWORD}
    token = call(base, "/api/collections/_superusers/auth-with-password", login)["token"]
    users = [("name", "text"), ("email", "text"), ("created_at", "text")]
    posts = [("user_id", "number"), ("title", "text"), ("body", "text"), ("created_at", "text")]
    call(base, "/api/collections", collection("shop_users", users), token)
    call(base, "/api/collections", collection("posts", posts), token)


def copy_rows(shop, folder):
    data = sqlite3.connect(folder + "/data.db")
    data.execute("ATTACH ? AS shop", (shop,))
    with data:
        data.execute(
            "INSERT INTO shop_users (id, name, email, created_at) "
            "SELECT printf('%015d', id), name, email, created_at FROM shop.users"
        )
        data.execute(
            "INSERT INTO posts (id, user_id, title, body, created_at) "
            "SELECT printf('%015d', id), user_id, title, body, created_at FROM shop.posts"
        )
    data.execute("ANALYZE main")
    data.close()


def main():
    program, shop, folder, port = sys.argv[1:]
    base = f"http://127.0.0.1:{port}"
    subprocess.run([program, "superuser", "upsert", EMAIL, PASSWORD, "--dir", folder], check=True, stdout=subprocess.DEVNULL)
    server = subprocess.Popen([program, "serve", "--dir", folder, "--http", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL)
    try:
        wait_for(base)
        make_collections(base)
    finally:
        server.terminate()
        server.wait()
    copy_rows(shop, folder)


main()
