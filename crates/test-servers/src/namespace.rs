//! A network namespace: a machine of its own as far as the network goes, which can vanish without a word.

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

/// A network namespace with one cable to this machine.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    cable: String,
    address: Ipv4Addr,
}

/// Nobody has this address, so what is sent to it is dropped without an answer.
const NOBODY: &str = "02:00:00:00:00:99";

impl Namespace {
    /// Makes one. Nothing where this process may not (it takes root, and a kernel that has them).
    pub fn new() -> Option<Self> {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        // One range of addresses for each of this process's, in the part for private networks.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let range = [10, 200 + u8::try_from(process % 50).unwrap_or(0), number];
        let namespace = Self {
            name: format!("paceline-{process}-{number}"),
            cable: format!("pl{process}x{number}"),
            address: Ipv4Addr::new(range[0], range[1], range[2], 2),
        };
        let ours = Ipv4Addr::new(range[0], range[1], range[2], 1);
        let (name, cable) = (&namespace.name, &namespace.cable);
        let made = ip(&format!("netns add {name}"))
            && ip(&format!(
                "link add {cable} type veth peer name eth0 netns {name}"
            ))
            && ip(&format!("addr add {ours}/24 dev {cable}"))
            && ip(&format!("link set {cable} up"))
            && ip(&format!(
                "-n {name} addr add {}/24 dev eth0",
                namespace.address
            ))
            && ip(&format!("-n {name} link set eth0 up"))
            && ip(&format!("-n {name} link set lo up"));
        // What was made of it goes again when it is dropped.
        made.then_some(namespace)
    }

    /// Its address on the cable.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// From now on everything that is sent to it is lost, and nobody is told.
    pub fn vanish(&self) {
        let Self { address, cable, .. } = self;
        let lost = ip(&format!(
            "neigh replace {address} lladdr {NOBODY} nud permanent dev {cable}"
        ));
        assert!(lost, "the address could not be given to nobody");
    }

    /// It can be reached again.
    pub fn come_back(&self) {
        let Self { address, cable, .. } = self;
        assert!(
            ip(&format!("neigh del {address} dev {cable}")),
            "the address could not be freed"
        );
    }

    /// The command, to be run in it.
    pub(crate) fn enter(&self) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The cable goes with the namespace.
        ip(&format!("netns del {}", self.name));
    }
}

fn ip(arguments: &str) -> bool {
    let status = Command::new("ip")
        .args(arguments.split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
