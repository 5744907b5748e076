internal import EventLog
package import EventModel
internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Synchronization

/// Keys and values as Redis' clients ask for them: RESP2 and RESP3 over TCP.
package final class RESPServer: Service, CustomStringConvertible {
    /// The version of Redis whose commands clients may take for granted, of those that there are.
    static let redisVersion = "7.0.0"

    package let description = "resp"
    private let store: KeyStore
    private let host: String
    private let port: Int
    private let consistency: Consistency
    private let authorize: Authorize?
    private let version: String
    private let running: @Sendable (_ port: Int) -> Void
    private let statistics = ServerStatistics()
    private let topic: String

    /// - Parameters:
    ///   - domain: The domain of keys and values.
    ///   - store: What it serves.
    ///   - port: 0 takes a free one.
    ///   - consistency: Of reads, where a client asks for none.
    ///   - authorize: What tokens say; nil lets everybody do everything.
    ///   - version: This program's.
    ///   - running: Called with the port when it answers.
    package init(
        _ domain: Domain, _ store: KeyStore, host: String, port: Int, consistency: Consistency, authorize: Authorize?,
        version: String, running: @escaping @Sendable (_ port: Int) -> Void
    ) {
        (self.store, self.host, self.port, self.consistency) = (store, host, port, consistency)
        (self.authorize, self.version, self.running, topic) = (authorize, version, running, domain.eventsTopic)
    }

    /// Serves until it is told to stop: then what was asked is answered, and connections are closed.
    package func run() async throws {
        let began = AsyncStream.makeStream(of: Void.self)
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.store.run { began.continuation.finish() } }
                group.addTask {
                    // Nobody is served before the copies have what is there.
                    for await _ in began.stream {}
                    try Task.checkCancellation()
                    try await self.serve()
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    private func serve() async throws {
        let (statistics, consistency, authorize) = (statistics, consistency, authorize)
        let around = Around(
            store: store, authorize: authorize, info: { [self] in information() }, topic: topic)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: RESPLimits.threads)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: RESPLimits.unread / 2, high: RESPLimits.unread)
            )
            .childChannelInitializer { channel in
                guard let id = statistics.open(channel) else {
                    let refusal = channel.allocator.buffer(string: "-ERR max number of clients reached\r\n")
                    return channel.writeAndFlush(refusal).flatMap { channel.close() }
                }
                channel.closeFuture.whenComplete { _ in statistics.close(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    let session = Session(
                        id: id, permissions: authorize == nil ? .all : nil, consistency: consistency)
                    try channel.pipeline.syncOperations.addHandler(Connection(session, around, statistics))
                }
            }
        let server: any Channel
        do {
            server = try await bootstrap.bind(host: host, port: port).get()
        } catch {
            try? await group.shutdownGracefully()
            throw CannotListen(error, host: host, port: port)
        }
        running(server.localAddress?.port ?? port)
        await withTaskCancellationHandler {
            try? await server.closeFuture.get()
        } onCancel: {
            server.close(promise: nil)
        }
        await stop()
        try? await group.shutdownGracefully()
    }

    /// Connections answer what they have, for some time.
    private func stop() async {
        let channels = statistics.channels
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(Connection.Stopping()) }
        let ended = Task {
            for channel in channels { try? await channel.closeFuture.get() }
        }
        for channel in channels {
            channel.eventLoop.scheduleTask(in: TimeAmount(RESPLimits.grace)) {
                channel.close(promise: nil)
            }
        }
        await ended.value
    }

    private func information() -> [(section: String, lines: [(String, String)])] {
        let (keys, bytes, footprint, stored) = store.read { copies, _ in
            (copies.count, copies.bytes, copies.footprint, copies.stored)
        }
        let repairs = store.repairs
        let (behind, since) = store.staleness
        let (open, all, commands) = statistics.counts
        return [
            (
                "Server",
                [
                    ("redis_version", Self.redisVersion), ("millrace_version", version), ("redis_mode", "standalone"),
                    ("tcp_port", String(port)), ("uptime_in_seconds", String(statistics.seconds)),
                ]
            ),
            ("Clients", [("connected_clients", String(open)), ("maxclients", String(RESPLimits.connections))]),
            (
                "Memory",
                [
                    ("value_bytes", String(bytes)), ("used_memory", String(footprint)),
                    ("blocks_on_disk", String(stored)),
                ]
            ),
            (
                "Persistence",
                [
                    ("aof_enabled", "1"), ("loading", "0"), ("repaired_ranges", String(repairs.ranges)),
                    ("repaired_keys", String(repairs.keys)),
                    ("restored_states", String(store.restored)),
                ]
            ),
            (
                "Stats",
                [
                    ("total_connections_received", String(all)), ("total_commands_processed", String(commands)),
                    ("changes_under_way", String(store.underWay)),
                ]
            ),
            (
                "Consistency",
                [
                    ("default_consistency", consistency.rawValue), ("copy_behind_records", String(behind)),
                    ("copy_behind_ms", String(since.milliseconds)),
                ]
            ),
            ("Keyspace", keys == 0 ? [] : [("db0", "keys=\(keys),expires=0,avg_ttl=0")]),
        ]
    }
}

/// Nobody can listen there.
package struct CannotListen: Error, Sendable {
    package let message: String

    init(_ error: any Error, host: String, port: Int) {
        let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        message =
            switch (error as? IOError)?.errnoCode {
            case EADDRINUSE:
                "\(address) is taken: another process listens there; --port takes another, 0 any that is free"
            case EACCES: "\(address) is not allowed: ports below 1024 are an administrator's"
            case EADDRNOTAVAIL: "\(host) is not an address of this machine"
            default: "cannot listen on \(address): \(error)"
            }
    }
}

/// What the server counts, and the connections that are open.
final class ServerStatistics: Sendable {
    private struct State {
        var open: [ObjectIdentifier: any Channel] = [:]
        var all: Int64 = 0
    }
    private let state = Mutex(State())
    private let commands = Atomic<Int>(0)
    private let start = ContinuousClock.now

    /// The connection's number; nil where there are too many.
    func open(_ channel: any Channel) -> Int64? {
        state.withLock { state in
            if state.open.count >= RESPLimits.connections { return nil }
            state.open[ObjectIdentifier(channel)] = channel
            state.all += 1
            return state.all
        }
    }
    func close(_ channel: any Channel) { state.withLock { $0.open[ObjectIdentifier(channel)] = nil } }
    func count(_ number: Int) { commands.wrappingAdd(number, ordering: .relaxed) }

    var channels: [any Channel] { state.withLock { Array($0.open.values) } }
    var counts: (open: Int, all: Int64, commands: Int) {
        let (open, all) = state.withLock { ($0.open.count, $0.all) }
        return (open, all, commands.load(ordering: .relaxed))
    }
    var seconds: Int64 { (ContinuousClock.now - start).components.seconds }
}
