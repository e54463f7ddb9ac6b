//! `PUT` creates or replaces, whoever comes first.

use super::World;

const CONFIG: &str = r#"
[resources.posts]
type = "post"
hidden = ["secret_plan"]
write = ["create", "update", "replace", "delete"]
anonymous_write = true
"#;

fn worlds() -> Vec<World> {
    let mut worlds = super::worlds_and_planetscale(CONFIG, &|_| {});
    worlds.push(super::over_http(CONFIG));
    worlds
}

fn body(title: &str) -> String {
    format!(r#"{{"title":"{title}","words":3,"member_id":null}}"#)
}

#[test]
fn of_two_that_put_the_same_row_one_creates_it_and_the_other_replaces_it() {
    for World { engine, server, .. } in worlds() {
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
fn of_forty_that_put_the_same_row_exactly_one_creates_it() {
    for World { engine, server, .. } in super::worlds_and_planetscale(CONFIG, &|_| {}) {
        let (path, others) = ("/api/posts/300", "/api/posts/301");
        let put = |path: &str, title: &str| {
            let answer = server.send_json("PUT", path, &[], &body(title));
            (answer.status.as_u16(), answer.text())
        };
        let race = |count: usize, of: &(dyn Fn(usize) -> (u16, String) + Sync)| {
            let mut answers: Vec<_> = std::thread::scope(|scope| {
                let racing: Vec<_> = (0..count)
                    .map(|number| scope.spawn(move || of(number)))
                    .collect();
                racing.into_iter().map(|one| one.join().unwrap()).collect()
            });
            answers.sort();
            answers
        };
        let answers = race(40, &|number| put(path, &format!("Of {number}")));
        let created = answers.iter().filter(|answer| answer.0 == 201).count();
        let replaced = answers.iter().filter(|answer| answer.0 == 200).count();
        assert_eq!((created, replaced), (1, 39), "{engine}: {answers:?}");
        // The same again, and every row wants the one title: one of both has it, the other is not there.
        let answers = race(20, &|number| {
            put(if number % 2 == 0 { path } else { others }, "Wanted")
        });
        let refused = |answer: &&(u16, String)| answer.0 == 409;
        let refusals = answers.iter().filter(refused).count();
        assert_eq!(refusals, 10, "{engine}: {answers:?}");
        for (_, text) in answers.iter().filter(refused) {
            assert!(text.contains("\"/title\""), "{engine}: {text}");
        }
    }
}

#[test]
fn what_is_there_keeps_what_clients_do_not_see() {
    for world in worlds() {
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
        let taken = server.send_json("PUT", "/api/posts/53", &[], &body("By Bob"));
        let problem = taken.assert_problem(409, "conflict");
        assert_eq!(problem["errors"][0]["pointer"], "/title", "{engine}");
        assert_eq!(
            world.sql("SELECT words FROM posts WHERE id = 2"),
            world.sql("SELECT words FROM posts WHERE id = 1"),
            "{engine}: that row is as it was"
        );
        // What changes nothing replaces all the same.
        assert_eq!(put(50, &[], "Second"), 200, "{engine}");
        assert_eq!(
            world.sql("SELECT title FROM posts WHERE id = 50"),
            "Second",
            "{engine}"
        );
        assert_eq!(world.sql("SELECT count(*) FROM posts"), "4", "{engine}");
    }
}
