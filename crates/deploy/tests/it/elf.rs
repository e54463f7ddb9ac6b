//! Makes programs' files that say what a test wants.

/// A program's file. Addresses in it are offsets in it.
pub(crate) struct Elf {
    machine: u16,
    kind: u16,
    start: u64,
    loader: Option<String>,
    needs: Vec<(String, Vec<String>)>,
}

const HEADER: usize = 64;
const SEGMENT: usize = 56;

impl Elf {
    pub(crate) fn x86_64() -> Self {
        Self {
            machine: 62,
            kind: 3,
            start: 0x1000,
            loader: Some("/lib64/ld-linux-x86-64.so.2".to_owned()),
            needs: Vec::new(),
        }
    }

    pub(crate) fn machine(mut self, machine: u16) -> Self {
        self.machine = machine;
        self
    }

    pub(crate) fn kind(mut self, kind: u16) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn start(mut self, start: u64) -> Self {
        self.start = start;
        self
    }

    pub(crate) fn loader(mut self, path: &str) -> Self {
        self.loader = Some(path.to_owned());
        self
    }

    /// Linked statically.
    pub(crate) fn fixed(mut self) -> Self {
        self.loader = None;
        self
    }

    /// Asks for a library, and for versions of its symbols.
    pub(crate) fn needs(mut self, library: &str, versions: &[&str]) -> Self {
        let versions = versions.iter().map(ToString::to_string).collect();
        self.needs.push((library.to_owned(), versions));
        self
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Some(loader) = &self.loader else {
            return self.assemble(&[(1, 0, 0x1000)], Vec::new());
        };
        let body = HEADER + 3 * SEGMENT;
        let mut strings = vec![0];
        let mut text = |text: &str| {
            let at = strings.len();
            strings.extend(text.bytes());
            strings.push(0);
            at
        };
        let loader_at = text(loader);
        let named: Vec<(usize, Vec<usize>)> = self
            .needs
            .iter()
            .map(|(library, versions)| (text(library), versions.iter().map(|v| text(v)).collect()))
            .collect();
        let versions = versions(&named);
        let versions_at = body + strings.len();
        let dynamic_at = versions_at + versions.len();
        let mut dynamic = Vec::new();
        let mut tag = |tag: u64, value: usize| {
            dynamic.extend(tag.to_le_bytes());
            dynamic.extend((value as u64).to_le_bytes());
        };
        for (library, _) in &named {
            tag(1, *library);
        }
        tag(5, body);
        if named.iter().any(|(_, versions)| !versions.is_empty()) {
            tag(0x6fff_fffe, versions_at);
        }
        tag(0, 0);
        let length = dynamic.len();
        let segments = [
            (1, 0, 0x10_0000),
            (2, dynamic_at, length),
            (3, body + loader_at, loader.len() + 1),
        ];
        self.assemble(&segments, [strings, versions, dynamic].concat())
    }

    fn assemble(&self, segments: &[(u32, usize, usize)], body: Vec<u8>) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        file.extend(self.kind.to_le_bytes());
        file.extend(self.machine.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(self.start.to_le_bytes());
        file.extend((HEADER as u64).to_le_bytes());
        file.extend([0; 14]);
        file.extend((SEGMENT as u16).to_le_bytes());
        file.extend((segments.len() as u16).to_le_bytes());
        file.resize(HEADER, 0);
        for &(kind, offset, length) in segments {
            file.extend(kind.to_le_bytes());
            file.extend(4_u32.to_le_bytes());
            for number in [offset, offset, offset, length, length, 8] {
                file.extend((number as u64).to_le_bytes());
            }
        }
        file.extend(body);
        file
    }
}

/// The table of versions: a record a library, and behind it one a version.
fn versions(named: &[(usize, Vec<usize>)]) -> Vec<u8> {
    let named: Vec<_> = named
        .iter()
        .filter(|(_, versions)| !versions.is_empty())
        .collect();
    let mut table = Vec::new();
    for (index, (library, versions)) in named.iter().enumerate() {
        let length = 16 * (1 + versions.len());
        let next = if index + 1 == named.len() { 0 } else { length };
        table.extend(1_u16.to_le_bytes());
        table.extend((versions.len() as u16).to_le_bytes());
        for number in [*library, 16, next] {
            table.extend((number as u32).to_le_bytes());
        }
        for (place, version) in versions.iter().enumerate() {
            let next = if place + 1 == versions.len() { 0 } else { 16 };
            table.extend([0; 8]);
            for number in [*version, next] {
                table.extend((number as u32).to_le_bytes());
            }
        }
    }
    table
}
