//! A client as the HTML standard describes it ("Interpreting an event stream").

/// An event the client dispatched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: String,
}

/// What a client knows after reading a stream.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) last_id: String,
    pub(crate) retry: Option<u64>,
    pub(crate) comments: usize,
    pub(crate) events: Vec<Received>,
}

impl Client {
    /// Reads whole blocks.
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes)
            .replace("\r\n", "\n")
            .replace('\r', "\n");
        let (mut data, mut name, mut id) = (String::new(), String::new(), self.last_id.clone());
        let lines = text
            .strip_suffix('\n')
            .expect("a block ends with a line end");
        for line in lines.split('\n') {
            if line.is_empty() {
                self.last_id.clone_from(&id);
                if let Some(text) = data.strip_suffix('\n') {
                    let name = if name.is_empty() { "message" } else { &name };
                    self.events.push(Received {
                        id: id.clone(),
                        name: name.to_owned(),
                        data: text.to_owned(),
                    });
                }
                (data, name) = (String::new(), String::new());
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "" => self.comments += 1,
                "data" => data = data + value + "\n",
                "event" => value.clone_into(&mut name),
                "id" if !value.contains('\0') => value.clone_into(&mut id),
                "retry" => self.retry = value.parse().ok(),
                _ => {}
            }
        }
        assert!(
            data.is_empty() && name.is_empty(),
            "the last block is not whole: {text:?}"
        );
    }
}

/// The events in whole blocks.
pub(crate) fn read(bytes: &[u8]) -> Vec<Received> {
    let mut client = Client::default();
    client.read(bytes);
    client.events
}
