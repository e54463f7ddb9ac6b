//! An axum router as a program: on AWS Lambda it answers the function's events, on a server it listens.

mod routes;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), paceline_serverless::RunError> {
    paceline_serverless::run(routes::routes()).await
}
