//! `paceline demo`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Failure;
use super::serve::{AdminAddress, admin_address, check_reach};
use crate::demo::{self, Created, Demo};
use crate::server::{self, Bound, Ephemeral};

/// Make a shop and serve it
#[derive(Debug, Args)]
#[command(after_help = "\
The shop (10,000 users, 100,000 posts, 1,000 products) is made once, in a folder of its own, and
found again by the next start. A folder that has other files is refused.

Examples:
  paceline demo
  paceline demo --listen 127.0.0.1:9000 --admin-listen off --dir /tmp/shop
  paceline demo --fresh --limits documented
  paceline demo --print-config > paceline.toml")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(super) struct DemoCommand {
    /// Where the API answers; port 0 chooses a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where /metrics answers, or "off" [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDR", value_parser = admin_address)]
    admin_listen: Option<AdminAddress>,
    /// The folder of the shop
    #[arg(long, value_name = "DIR", default_value = demo::FOLDER)]
    dir: PathBuf,
    /// Remove the files an earlier demo made in the folder, and start anew
    #[arg(long)]
    fresh: bool,
    /// How many requests one address may send
    #[arg(long, value_enum, default_value_t)]
    limits: Limits,
    /// Allow an address that other machines reach, although nobody has to log in
    #[arg(long)]
    public: bool,
    /// Print the configuration of the demo and do nothing else
    #[arg(long)]
    print_config: bool,
    /// Print the address and password of the user who can log in and do nothing else
    #[arg(long, conflicts_with = "print_config")]
    print_credentials: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Limits {
    /// 60,000 in 15 minutes
    #[default]
    Browsing,
    /// 100 in 15 minutes on /api/
    Documented,
}

impl From<Limits> for demo::Limits {
    fn from(limits: Limits) -> Self {
        match limits {
            Limits::Browsing => Self::Browsing,
            Limits::Documented => Self::Documented,
        }
    }
}

impl DemoCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        if self.print_config {
            print!("{}", demo::CONFIG);
            return Ok(());
        }
        if self.print_credentials {
            println!("{} {}", demo::login_email(), demo::PASSWORD);
            return Ok(());
        }
        let mut config = demo::config(&self.dir, self.limits.into());
        if let Some(address) = self.listen {
            config.server.listen = address;
        }
        if let Some(AdminAddress(address)) = self.admin_listen {
            config.server.admin_listen = address;
        }
        let prepare = || demo::prepare(&self.dir, self.fresh).map_err(|error| Failure::run(&error));
        if let Some(place) = super::lambda_place()? {
            let _shop = prepare()?;
            return super::serve_on_lambda(config, &place, Ephemeral::Warned);
        }
        check_reach(&config.server, self.public)?;
        let shop = prepare()?;
        let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::run(&error))?;
        runtime
            .block_on(server::run(config, |bound| announce(&shop, bound)))
            .map_err(|error| Failure::serving(&error))
    }
}

fn announce(shop: &Demo, bound: &Bound) {
    let folder = shop.folder().display();
    match shop.created() {
        Created::Now => println!(
            "Made a shop in {folder}: 10,000 users, 100,000 posts, 1,000 products (--fresh starts anew)."
        ),
        Created::Before => println!("Found the shop in {folder} (--fresh starts anew)."),
    }
    let base = format!("http://{}", reachable(bound.api));
    println!("API:     {base}/api/");
    if let Some(admin) = bound.admin {
        println!("Metrics: http://{}/metrics", reachable(admin));
    }
    println!("Mails:   {folder}/mail/new");
    println!(
        "Login:   {} with the password {}",
        demo::login_email(),
        demo::PASSWORD
    );
    println!(
        "\nTo paste into another terminal:\n\n{}",
        demo::banner(&base)
    );
}

/// An address to connect to: the one of this machine where all are listened on.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}
