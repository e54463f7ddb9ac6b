//! A database that is started by the first connection, as Neon's are: what is tried again until it is there, and what is
//! told at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use paceline_test_servers::Postgres;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::{ask, pool, soon, with_causes};

/// What stands before the database does with a connection.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Closes it.
    Close,
    /// Says no, with this code and message.
    Refuse(&'static str, &'static str),
    /// Waits for so long, then leads to the database.
    Wait(Duration),
}

/// Does these one after the other, the last one for ever; gives the port, and how many connections came.
async fn start(acts: &'static [Act], server: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let came = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&came);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(client, acts[number.min(acts.len() - 1)], server));
        }
    });
    (port, came)
}

async fn serve(mut client: TcpStream, act: Act, server: u16) -> std::io::Result<()> {
    match act {
        Act::Close => {}
        Act::Refuse(code, message) => {
            // It hears what the client begins with.
            let _ = client.read(&mut [0; 1024]).await?;
            let body = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
            let length = u32::try_from(body.len() + 4).unwrap();
            client.write_u8(b'E').await?;
            client.write_u32(length).await?;
            client.write_all(body.as_bytes()).await?;
            client.shutdown().await?;
        }
        Act::Wait(time) => {
            tokio::time::sleep(time).await;
            let mut server = TcpStream::connect(("127.0.0.1", server)).await?;
            copy_bidirectional(&mut client, &mut server).await?;
        }
    }
    Ok(())
}

const ASLEEP: &str = "Couldn't connect to compute node";

/// What a database does that wakes up.
const WAKING: [Act; 5] = [
    Act::Close,
    Act::Refuse("XX000", ASLEEP),
    Act::Refuse("57P03", "the database system is starting up"),
    Act::Refuse("53300", "sorry, too many clients already"),
    Act::Wait(Duration::from_millis(600)),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_wakes_up_fails_no_query() {
    let cluster = Postgres::shared();
    let (port, came) = start(&WAKING, cluster.port()).await;
    let url = cluster
        .url("postgres")
        .replace(&cluster.port().to_string(), &port.to_string());
    let pool = pool(&url, 1);
    let began = Instant::now();
    assert_eq!(ask(&pool, "SELECT 'x'").await.unwrap(), "x");
    assert_eq!(came.load(Ordering::SeqCst), 5);
    assert!(began.elapsed() >= Duration::from_millis(600));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(pool.statistics().counts.failed_attempts, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_trying_again_does_not_mend_is_told_at_once() {
    let cluster = Postgres::shared();
    let refused = async |acts| {
        let (port, came) = start(acts, cluster.port()).await;
        let url = format!("postgres://u:hunter2@127.0.0.1:{port}/shop");
        let error = pool(&url, 1).acquire(soon()).await.unwrap_err();
        let told = with_causes(&error);
        assert_eq!(came.load(Ordering::SeqCst), 1, "{told}");
        assert!(!told.contains("hunter2"), "{told}");
        told
    };
    let told = refused(&[Act::Refuse("28P01", "password authentication failed")]).await;
    assert!(told.contains("password"), "{told}");
    let told = refused(&[Act::Refuse("3D000", "database \"shop\" does not exist")]).await;
    assert!(told.contains("does not exist"), "{told}");
    let told = refused(&[Act::Refuse("XX000", "Endpoint ID is not specified")]).await;
    assert!(told.contains("Endpoint"), "{told}");
}
