"""A small service over the view of orders, as one would write it in Python: what `make bench` holds the gateway against."""

import glob
import os
import sqlite3
import sys
import threading

import uvicorn
from fastapi import FastAPI, HTTPException

app = FastAPI()
local = threading.local()


def connection() -> sqlite3.Connection:
    if not hasattr(local, "connection"):
        for path in glob.glob(os.environ["PEER_VIEWS"] + "/**/*.sqlite", recursive=True):
            found = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
            if found.execute("SELECT 1 FROM sqlite_master WHERE name = 'orders_history'").fetchone():
                found.row_factory = sqlite3.Row
                local.connection = found
                break
    return local.connection


@app.get("/orders/{order}")
async def status(order: str):
    rows = connection().execute(
        "SELECT * FROM orders_history WHERE order_id = ? ORDER BY event_offset, event_partition LIMIT 100", (order,)
    ).fetchall()
    if not rows:
        raise HTTPException(404, f"there is no order {order}")
    return {"rows": [dict(row) for row in rows]}


if __name__ == "__main__":
    uvicorn.run("peer_http:app", port=int(sys.argv[1]), workers=2, log_level="warning", app_dir=os.path.dirname(__file__))
