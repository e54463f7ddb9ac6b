//! `PUT` creates or replaces, whoever comes first.

use super::{World, worlds};

const CONFIG: &str = r#"
[resources.posts]
type = "post"
hidden = ["secret_plan"]
write = ["create", "update", "replace", "delete"]
anonymous_write = true
"#;

fn body(title: &str) -> String {
    format!(r#"{{"title":"{title}","words":3,"member_id":null}}"#)
}

#[test]
fn of_two_that_put_the_same_row_one_creates_it_and_the_other_replaces_it() {
    for World { engine, server, .. } in worlds(CONFIG) {
        for round in 100..140 {
            let path = format!("/api/posts/{round}");
            let put = |name: &str| {
                let answer = server.send_json("PUT", &path, &[], &body(&format!("{name} {round}")));
                (answer.status.as_u16(), answer.text())
            };
            let (one, other) = std::thread::scope(|scope| {
                let racing = scope.spawn(|| put("A"));
                (put("B"), racing.join().unwrap())
            });
            let mut statuses = [one.0, other.0];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 201], "{engine}: {one:?} {other:?}");
        }
    }
}

#[test]
fn what_is_there_keeps_what_clients_do_not_see() {
    for world in worlds(CONFIG) {
        let (engine, server) = (world.engine, &world.server);
        let put = |id: u32, headers: &[&str], title: &str| {
            let path = format!("/api/posts/{id}");
            server
                .send_json("PUT", &path, headers, &body(title))
                .status
                .as_u16()
        };
        assert_eq!(put(50, &[], "First"), 201, "{engine}");
        assert_eq!(put(50, &[], "Second"), 200, "{engine}");
        assert_eq!(put(50, &["If-None-Match: *"], "Third"), 412, "{engine}");
        assert_eq!(put(51, &["If-None-Match: *"], "New"), 201, "{engine}");
        assert_eq!(put(52, &["If-Match: *"], "None"), 412, "{engine}");
        assert_eq!(put(50, &["If-Match: \"x\""], "Third"), 412, "{engine}");
        assert_eq!(
            put(50, &[], "By Bob"),
            409,
            "{engine}: another row has the title"
        );
        assert_eq!(
            world.sql("SELECT title FROM posts WHERE id = 50"),
            "Second",
            "{engine}"
        );
        assert_eq!(world.sql("SELECT count(*) FROM posts"), "4", "{engine}");
    }
}
