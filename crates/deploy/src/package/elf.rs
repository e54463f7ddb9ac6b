//! What a program's file says of where it can run. Source: the System V ABI, and the GNU extension for versions of
//! symbols.
//!
//! Read here rather than by `object`, which the build does not have otherwise: five tables, and every number is checked
//! against the file's length.

use std::fmt;

use crate::deployment::Architecture;

const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;
const NEEDED: u64 = 1;
const STRINGS: u64 = 5;
const VERSIONS: u64 = 0x6fff_fffe;
/// More of anything than a program has: a loop in a broken file ends here.
const MOST: usize = 65_536;

/// What matters of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Program {
    /// The processor it was built for; `None` for one that Lambda does not have.
    pub architecture: Option<Architecture>,
    /// How it finds its libraries.
    pub linkage: Linkage,
}

/// How a program finds its libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linkage {
    /// It has everything in itself.
    Static,
    /// A loader of the system finds them.
    Dynamic {
        /// The loader's path.
        loader: String,
        /// Names of the libraries.
        libraries: Vec<String>,
        /// The newest version of the GNU C library that a symbol asks for.
        glibc: Option<Version>,
    },
}

/// A version of the GNU C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The 2 of 2.34.
    pub major: u32,
    /// The 34 of 2.34.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The file is no program for Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAProgram {
    /// It begins otherwise.
    #[error("it is no ELF file")]
    Magic,
    /// It is for 32 bits, or for the other order of bytes.
    #[error("it is not for 64 bits, least byte first")]
    Width,
    /// It is a library without a start, or an object.
    #[error("it is no program that can be started")]
    Kind,
    /// A table leads outside of the file.
    #[error("it is cut off or broken")]
    Broken,
}

/// Part of the file that is in memory when it runs.
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    length: u64,
}

/// Reads the file of a program.
pub fn read(file: &[u8]) -> Result<Program, NotAProgram> {
    if file.get(..4) != Some(b"\x7fELF") {
        return Err(NotAProgram::Magic);
    }
    if file.get(4..6) != Some(&[2, 1]) {
        return Err(NotAProgram::Width);
    }
    let architecture = match u16_at(file, 18)? {
        62 => Some(Architecture::X86_64),
        183 => Some(Architecture::Arm64),
        _ => None,
    };
    let segments = segments(file)?;
    let find = |kind| segments.iter().find(|segment| segment.kind == kind);
    let linkage = match (u16_at(file, 16)?, find(INTERPRETER)) {
        (2 | 3, Some(loader)) => dynamic(file, &segments, loader, find(DYNAMIC))?,
        // A program at a fixed place, or one that moves itself: both begin somewhere.
        (2 | 3, None) if u64_at(file, 24)? != 0 => Linkage::Static,
        _ => return Err(NotAProgram::Kind),
    };
    Ok(Program {
        architecture,
        linkage,
    })
}

fn segments(file: &[u8]) -> Result<Vec<Segment>, NotAProgram> {
    let (table, size, count) = (u64_at(file, 32)?, u16_at(file, 54)?, u16_at(file, 56)?);
    (0..u64::from(count))
        .map(|index| {
            let at = index
                .checked_mul(size.into())
                .and_then(|offset| offset.checked_add(table))
                .ok_or(NotAProgram::Broken)?;
            let at = place(at)?;
            Ok(Segment {
                kind: u32_at(file, at)?,
                offset: u64_at(file, field(at, 8)?)?,
                address: u64_at(file, field(at, 16)?)?,
                length: u64_at(file, field(at, 32)?)?,
            })
        })
        .collect()
}

fn dynamic(
    file: &[u8],
    segments: &[Segment],
    loader: &Segment,
    table: Option<&Segment>,
) -> Result<Linkage, NotAProgram> {
    let entries = match table {
        Some(table) => entries(file, table)?,
        None => Vec::new(),
    };
    let value = |tag| {
        entries
            .iter()
            .find(|entry| entry.0 == tag)
            .map(|entry| entry.1)
    };
    let strings = match value(STRINGS) {
        Some(address) => place_of(segments, address)?,
        None => 0,
    };
    let libraries = entries
        .iter()
        .filter(|entry| entry.0 == NEEDED)
        .map(|entry| text_at(file, field(strings, place(entry.1)?)?))
        .collect::<Result<Vec<_>, _>>()?;
    let glibc = match value(VERSIONS) {
        Some(address) => newest(file, place_of(segments, address)?, strings)?,
        None => None,
    };
    Ok(Linkage::Dynamic {
        loader: text_at(file, place(loader.offset)?)?,
        libraries,
        glibc,
    })
}

/// Tags and values, up to the tag that ends them.
fn entries(file: &[u8], table: &Segment) -> Result<Vec<(u64, u64)>, NotAProgram> {
    let mut found = Vec::new();
    let start = place(table.offset)?;
    let count = place(table.length / 16)?.min(MOST);
    for index in 0..count {
        let at = field(start, index * 16)?;
        let tag = u64_at(file, at)?;
        if tag == 0 {
            break;
        }
        found.push((tag, u64_at(file, field(at, 8)?)?));
    }
    Ok(found)
}

/// The newest version among those that are asked for, of whichever library: all of the GNU C library's count alike.
fn newest(file: &[u8], table: usize, strings: usize) -> Result<Option<Version>, NotAProgram> {
    let mut found = None;
    let (mut library, mut steps) = (table, 0);
    loop {
        let count = u16_at(file, field(library, 2)?)?;
        let mut version = field(library, place(u32_at(file, field(library, 8)?)?.into())?)?;
        for _ in 0..count {
            steps += 1;
            let name = place(u32_at(file, field(version, 8)?)?.into())?;
            found = found.max(version_of(&text_at(file, field(strings, name)?)?));
            version = field(version, place(u32_at(file, field(version, 12)?)?.into())?)?;
        }
        let next = u32_at(file, field(library, 12)?)?;
        steps += 1;
        if next == 0 {
            return Ok(found);
        }
        if steps > MOST {
            return Err(NotAProgram::Broken);
        }
        library = field(library, place(next.into())?)?;
    }
}

/// `GLIBC_2.34` is 2.34; relative relocations came with 2.36 and have a name of their own.
fn version_of(name: &str) -> Option<Version> {
    let version = |major, minor| Some(Version { major, minor });
    if name == "GLIBC_ABI_DT_RELR" {
        return version(2, 36);
    }
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.');
    let mut number = || numbers.next()?.parse().ok();
    version(number()?, number()?)
}

/// Where an address lies in the file.
fn place_of(segments: &[Segment], address: u64) -> Result<usize, NotAProgram> {
    segments
        .iter()
        .filter(|segment| segment.kind == LOAD)
        .find_map(|segment| {
            let inside = address.checked_sub(segment.address)?;
            (inside < segment.length).then(|| segment.offset.checked_add(inside))?
        })
        .ok_or(NotAProgram::Broken)
        .and_then(place)
}

fn place(number: u64) -> Result<usize, NotAProgram> {
    usize::try_from(number).map_err(|_| NotAProgram::Broken)
}

fn field(base: usize, offset: usize) -> Result<usize, NotAProgram> {
    base.checked_add(offset).ok_or(NotAProgram::Broken)
}

fn bytes<const N: usize>(file: &[u8], at: usize) -> Result<[u8; N], NotAProgram> {
    let end = field(at, N)?;
    file.get(at..end)
        .and_then(|part| part.try_into().ok())
        .ok_or(NotAProgram::Broken)
}

fn u16_at(file: &[u8], at: usize) -> Result<u16, NotAProgram> {
    bytes(file, at).map(u16::from_le_bytes)
}

fn u32_at(file: &[u8], at: usize) -> Result<u32, NotAProgram> {
    bytes(file, at).map(u32::from_le_bytes)
}

fn u64_at(file: &[u8], at: usize) -> Result<u64, NotAProgram> {
    bytes(file, at).map(u64::from_le_bytes)
}

fn text_at(file: &[u8], at: usize) -> Result<String, NotAProgram> {
    let rest = file.get(at..).ok_or(NotAProgram::Broken)?;
    let end = rest
        .iter()
        .position(|byte| *byte == 0)
        .ok_or(NotAProgram::Broken)?;
    Ok(String::from_utf8_lossy(&rest[..end]).into_owned())
}
