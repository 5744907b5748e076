internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import LocalLog
internal import PostgresServer
internal import Projecting
internal import SQLiteViews
internal import ServiceLifecycle
internal import TestSupport
internal import TicketsDomain

extension Domain {
    /// A command of this domain that JSON describes.
    func command(_ name: String, _ json: String, id: String = UUID().uuidString) throws -> EncodedCommand {
        guard let decider else { throw Overdue(description: "\(self.name) decides nothing") }
        return try decider.command(name, json: Bytes(json), id: id)
    }
}

extension Bench {
    /// A domain's handler and reactors, with checkpoints as in production.
    func deciders(of domain: Domain, _ log: any EventLog, _ views: any ViewStore) -> [any Service] {
        var services: [any Service] = []
        if var handler = Handler(domain, log: log, clock: { now() }, logger: logger) {
            handler.checkpoints = ViewCheckpoints(views)
            services.append(handler)
        }
        for reaction in domain.reactions {
            var reactor = Reactor(reaction, log: log, logger: logger)
            reactor.checkpoints = ViewCheckpoints(views)
            services.append(reactor)
        }
        return services
    }

    static let clients = 256
    private static let sections = 8
    private static let seatRows = 50
    private static let seatsInRow = 400
    static let seats = sections * seatRows * seatsInRow

    func ticketRows() async throws -> [Row] {
        let place = try fresh("tickets")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        try await log.create(Domain.tickets.topics)
        let views = try SQLiteViews(directory: place + "/views")
        let (attempts, threads) = (60_000, Self.clients)
        let peer = PostgresServer.isHere ? try SeatsInPostgres(folder: folder) : nil
        if peer == nil { Bench.progress(PostgresServer.absent) }
        var (granted, mixed, bulk, conditional, batched): ([Double], [Double], [Double], [Double], [Double]) = (
            [], [], [], [], []
        )
        try await running(deciders(of: .tickets, log, views)) {
            try await CommandClient.with(log, domains: [.tickets], clock: { now() }) { client in
                for round in 0..<rounds {
                    let event = "e\(round)"
                    try await Self.list(event, client)
                    granted.append(try await Self.hold(event, client, attempts, threads) { $0 })
                    // Seats again that are taken: nearly all are refused.
                    mixed.append(try await Self.hold(event, client, attempts, threads) { $0 / 2 })
                    // Eight clients that send many at once.
                    try await Self.list("b\(round)", client)
                    bulk.append(try await Self.hold("b\(round)", client, Self.seats, 8, at: 100) { $0 })
                    if let peer {
                        try await peer.free(Self.seats)
                        conditional.append(try await peer.holds(40_000, clients: 16, batch: 1))
                        try await peer.free(Self.seats)
                        batched.append(try await peer.holds(Self.seats, clients: 8, batch: 100))
                    }
                }
            }
        }
        peer?.close()
        await views.close()
        await log.close()
        return [
            Row("HoldSeats decided, durable and answered: seats taken", .perSecond, mixed, .atLeast(60_000)),
            Row(
                "HoldSeats granted, durable and answered: seats free", .perSecond, granted, .atLeast(35_000),
                .timesAtLeast(5)
            )
            .held(against: "PostgreSQL, UPDATE ... WHERE free, 16 clients", conditional),
            Row("  100 holds at a time, 8 clients", .perSecond, bulk, .timesAtLeast(1))
                .held(against: "PostgreSQL, 100 holds a statement, 8 clients", batched),
        ]
    }

    private static func list(_ event: String, _ client: CommandClient) async throws {
        let rows = (0..<seatRows).map { #"{"label":"R\#($0)","seats":\#(seatsInRow)}"# }.joined(separator: ",")
        let all = (0..<sections).map {
            #"{"name":"s\#($0)","rows":[\#(rows)],"price":{"amount":1,"currency":"EUR"}}"#
        }.joined(separator: ",")
        let listing =
            #"{"event":"\#(event)","title":"t","venue":"v","startsAt":"2030-01-01T00:00:00Z","sections":[\#(all)]}"#
        try await client.send([try Domain.tickets.command("ListEvent", listing)], to: .tickets, within: .seconds(30))
        // A section is another aggregate, which a reaction opens.
        for section in 0..<sections {
            try await eventually("section s\(section) to open") {
                let probe = #"{"event":"\#(event)","section":"s\#(section)","holder":"x","seats":["none"]}"#
                let outcome = try await client.send(
                    [try Domain.tickets.command("HoldSeats", probe)], to: .tickets, within: .seconds(30))[0]
                return outcome.reason == "unknown-section" ? nil : true
            }
        }
    }

    /// Every client asks for one seat after another, or so many, each time once it has heard of those before.
    ///
    /// - Parameter seat: Which seat the attempt of a number is for.
    /// - Returns: attempts a second.
    private static func hold(
        _ event: String, _ client: CommandClient, _ attempts: Int, _ clients: Int, at once: Int = 1,
        seat: @escaping @Sendable (Int) -> Int
    ) async throws -> Double {
        // What clients say is written before the clock runs: a server's clients are other machines.
        let turns = try (0..<clients).map { fan in
            try (0..<(attempts / clients)).map { turn in
                let number = seat(turn * clients + fan)
                let (section, place) = (number % sections, number / sections)
                let json = """
                    {"event":"\(event)","section":"s\(section)","holder":"f\(fan)","seats":["R\(place / seatsInRow)-\(1 + place % seatsInRow)"]}
                    """
                return try Domain.tickets.command("HoldSeats", json)
            }
        }
        let watch = Stopwatch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for commands in turns {
                group.addTask {
                    for first in stride(from: 0, to: commands.count, by: once) {
                        let some = Array(commands[first..<min(first + once, commands.count)])
                        try await client.send(some, to: .tickets, within: .seconds(30))
                    }
                }
            }
            try await group.waitForAll()
        }
        return Double(attempts / clients * clients) / watch.seconds
    }
}

/// The same in a table of PostgreSQL, through its own pgbench: a seat is taken by whoever updates it while it is free. Its
/// writes are on the disk when it answers, as a log's are.
final class SeatsInPostgres: Sendable {
    private let server: PostgresServer
    private let folder: String

    init(folder: String) throws {
        self.folder = folder
        server = try PostgresServer(durable: true)
        try server.psql("CREATE TABLE seats(id int PRIMARY KEY, holder text)")
    }

    func free(_ seats: Int) async throws {
        try server.psql("TRUNCATE seats")
        try server.psql("INSERT INTO seats SELECT i, NULL FROM generate_series(0, \(seats - 1)) i")
        try server.psql("VACUUM ANALYZE seats")
    }

    /// Takes seats all over the house, each once.
    ///
    /// - Returns: holds a second.
    func holds(_ count: Int, clients: Int, batch: Int) async throws -> Double {
        // A client of pgbench knows its own number and its turn, and so takes seats that no other does.
        let script = """
            \\set turn :turn + 1
            \\set first (:turn * \(clients) + :client_id) * \(batch)
            UPDATE seats SET holder = 'f' WHERE holder IS NULL AND id = ANY(ARRAY(
            SELECT (:first + g) * 7919 % \(Bench.seats) FROM generate_series(0, \(batch - 1)) g));

            """
        let file = "\(folder)/hold-\(batch).sql"
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        let ended = try await Running(
            PostgresServer.program("pgbench"),
            [
                "-n", "-M", "prepared", "-h", server.folder, "-p", "\(server.port)", "-U", "postgres", "-c",
                "\(clients)", "-j", "2",
                "-t", "\(count / clients / batch)", "-D", "turn=-1", "-f", file, "postgres",
            ], cwd: folder, scratch: folder
        ).end(within: .seconds(120))
        guard ended.exit == 0, let line = ended.lines.first(where: { $0.hasPrefix("tps = ") }),
            let rate = line.split(separator: " ").dropFirst(2).first.flatMap({ Double($0) })
        else { throw Overdue(description: "pgbench: \(ended)") }
        return rate * Double(batch)
    }

    func close() { try? server.stop() }
}
