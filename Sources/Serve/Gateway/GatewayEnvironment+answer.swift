extension GatewayEnvironment {
    /// Answers a request that was let in.
    func answer(_ endpoint: Endpoint, _ request: GatewayRequest) async throws -> Reply {
        switch endpoint {
        case .start: try start(request)
        case .command(let name): try await send(name, request)
        case .commands: try sendLines(request)
        case .event(let name): try await produce(name, request)
        case .catalogue: try events(request)
        case .view(let name): try await query(name, request)
        case .views: try queries(request)
        case .topic(let name): try await replay(name, request)
        case .topics: try await topics(request)
        case .workers: try await workers(request)
        case .quarantine: try await waiting(nil, request)
        case .waiting(let worker, _): try await waiting(worker, request)
        case .redrive(let worker): try await redrive(worker, request)
        case .drop(let worker): try await drop(worker, request)
        case .live: try live(request)
        case .ready: try await ready(request)
        case .metrics: try await metrics(request)
        case .openAPI: try openAPI(request)
        case .asyncAPI: try asyncAPI(request)
        case .session: try session(request)
        case .logIn: try await logIn(request)
        case .logOut: try logOut(request)
        case .page(let path): try await page(path, request)
        case .route(let match): try await route(match, request)
        }
    }
}
