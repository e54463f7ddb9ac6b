//! The official Rust port of BullMQ that is told what to do: one JSON line in is a command, one JSON line out is
//! its answer or something that happened meanwhile. The Redis to use is in REDIS_PORT.

mod handler;
mod side;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use side::Side;

/// Prints one line.
fn tell(line: &Value) {
    println!("{line}");
}

#[tokio::main]
async fn main() {
    let side = Arc::new(Side::default());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    tell(&json!({ "happening": "ready" }));
    while let Ok(Some(line)) = lines.next_line().await {
        let words: Value = serde_json::from_str(&line).expect("a line is JSON");
        let side = Arc::clone(&side);
        tokio::spawn(async move {
            let number = words["id"].clone();
            tell(&match side.obey(&words).await {
                Ok(answer) => json!({ "id": number, "answer": answer }),
                Err(error) => json!({ "id": number, "error": error.to_string() }),
            });
        });
    }
    // Workers are not waited for: the test is over.
    std::process::exit(0)
}
