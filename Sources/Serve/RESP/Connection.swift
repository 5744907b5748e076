internal import EventLog
internal import EventModel
internal import KVDomain
internal import NIOCore

/// One client: takes commands in, has them done in their order, and answers in that order.
///
/// Commands of one kind that come together are done together: changes are one group for the log, and reads share a question for
/// the log's end. It belongs to its event loop; what comes from elsewhere is handed over to that.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The server tells it to answer what it has and close.
    struct Stopping: Sendable {}

    private let around: Around
    private let statistics: ServerStatistics
    private var session: Session
    private var parser = RequestParser()
    private var received = ByteBuffer()
    private var queue: ArraySlice<[Bytes]> = []
    /// Bytes of the commands in it.
    private var queued = 0
    /// Commands that are being answered together, whose reads may be made in several goes.
    private var taken: [[Bytes]] = []
    /// What is wrong with what came behind the queue: told once that is answered.
    private var broken: ProtocolError?
    private var isBusy = false
    private var isReading = false
    private var isEnding = false
    private var isClosed = false

    init(_ session: Session, _ around: Around, _ statistics: ServerStatistics) {
        (self.session, self.around, self.statistics) = (session, around, statistics)
        parser.isNamed = session.permissions != nil
    }

    func channelActive(context: ChannelHandlerContext) { readOn(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = false
        var part = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = part } else { received.writeBuffer(&part) }
        advance(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        readOn(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { advance(context) }

    func channelInactive(context: ChannelHandlerContext) { isClosed = true }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is Stopping else { return context.fireUserInboundEventTriggered(event) }
        isEnding = true
        if !isBusy, queue.isEmpty { context.close(promise: nil) }
    }

    /// Reads no more than it can answer, so that a client that sends without end, or takes no answers, keeps no memory.
    private func readOn(_ context: ChannelHandlerContext) {
        if isReading || isEnding || broken != nil || isFull { return }
        if !context.channel.isWritable { return }
        isReading = true
        context.read()
    }

    private var isFull: Bool { queue.count >= RESPLimits.pipelined || queued >= RESPLimits.queued }

    private static func size(of command: [Bytes]) -> Int { command.reduce(0) { $0 + $1.count } }

    private func dequeue() -> [Bytes] {
        let command = queue.removeFirst()
        queued -= Self.size(of: command)
        return command
    }

    private func parse() {
        while broken == nil, !isFull {
            do throws(ProtocolError) {
                guard let command = try parser.next(&received) else { break }
                queue.append(command)
                queued += Self.size(of: command)
                // What it makes of the connection counts for what comes behind it.
                if !parser.isNamed { break }
            } catch {
                broken = error
            }
        }
        if received.readerIndex > RESPLimits.command { received.discardReadBytes() }
    }

    /// Does as much as can be done.
    private func advance(_ context: ChannelHandlerContext) {
        if isClosed || isBusy { return }
        var out = context.channel.allocator.buffer(capacity: 256)
        loop: while !isBusy, !isClosed, context.channel.isWritable, out.readableBytes < RESPLimits.unread {
            if queue.isEmpty { parse() }
            guard let first = queue.first else { break }
            switch session.transaction == nil ? CommandTable.entry(first[0])?.kind : .connection {
            case .write: startWrites(context)
            case .read where session.consistency == .linearizable && !around.store.isWhole: startFenced(context)
            case .read where session.consistency != .linearizable && !session.after.isEmpty: startAfter(context)
            default:
                _ = dequeue()
                statistics.count(1)
                let plan = CommandTable.plan(first, &session, around)
                switch plan {
                case .reply(let reply): reply.write(to: &out, version: session.version)
                case .close(let reply):
                    reply.write(to: &out, version: session.version)
                    (isEnding, queue, queued) = (true, [], 0)
                    break loop
                case .read(let answer):
                    Self.read(answer, around.store).write(to: &out, version: session.version)
                case .place(let partition, let offset): startPlace(partition, offset, context)
                case .verify(let partition): startVerify(partition, context)
                case .write: start([plan], context)
                }
                parser.isNamed = session.permissions != nil
            }
        }
        let isDone = !isBusy && queue.isEmpty
        if isDone, let broken, !isEnding {
            broken.reply.write(to: &out, version: session.version)
            isEnding = true
        }
        if out.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(out), promise: nil) }
        if isEnding, isDone {
            // What was written goes out first.
            context.close(promise: nil)
            return
        }
        readOn(context)
    }

    /// Takes the commands of one kind that are next.
    private func take(_ kind: CommandEntry.Kind) -> [Plan] {
        var (plans, bytes) = ([Plan](), 0)
        taken = []
        while let next = queue.first ?? nextParsed(), CommandTable.entry(next[0])?.kind == kind,
            plans.count < RESPLimits.pipelined, bytes < RESPLimits.group
        {
            bytes += Self.size(of: next)
            taken.append(dequeue())
            plans.append(CommandTable.plan(next, &session, around))
        }
        statistics.count(plans.count)
        return plans
    }

    private func nextParsed() -> [Bytes]? {
        parse()
        return queue.first
    }

    // MARK: Changes

    private func startWrites(_ context: ChannelHandlerContext) {
        start(take(.write), context)
    }

    private func start(_ plans: [Plan], _ context: ChannelHandlerContext) {
        var writes: [KeyWrite] = []
        for case .write(let some, _) in plans { writes += some }
        isBusy = true
        let finish = finishing(context)
        let store = around.store
        if writes.isEmpty { return finish.soon(plans.map { Self.fixed($0) }, nil) }
        store.write(writes) { results in
            // All that is answered is in the copy by now.
            let replies = store.read { copies, now -> [Reply] in
                var at = 0
                return plans.map { plan in
                    guard case .write(let some, let answer) = plan else { return Self.fixed(plan) }
                    defer { at += some.count }
                    return Self.sound(store) { try answer(results[at..<at + some.count], copies, now) }
                }
            }
            var last: (partition: Int, offset: Offset)?
            for case .done(_, let partition, let offset) in results { last = (partition, offset) }
            finish.soon(replies, last)
        }
    }

    private static func fixed(_ plan: Plan) -> Reply {
        if case .reply(let reply) = plan { reply } else { .error("ERR internal error") }
    }

    /// An answer of what is as it was written. It is called within the store's lock, so what follows is done apart from it.
    private static func sound(_ store: KeyStore, _ answer: () throws -> Reply) -> Reply {
        do {
            return try answer()
        } catch {
            Task { store.complain() }
            return Reply(failed: "the copy is put right from the log: \(error)")
        }
    }

    private static func read(_ answer: ReadAnswer, _ store: KeyStore) -> Reply {
        store.read { copies, now in sound(store) { try answer(copies, now) } }
    }

    private func startVerify(_ partition: Int, _ context: ChannelHandlerContext) {
        isBusy = true
        let finish = finishing(context)
        around.store.verify(partition) { result in
            switch result {
            case .success(let repair):
                finish.soon([.list([.integer(Int64(repair.ranges)), .integer(Int64(repair.keys))])], nil)
            case .failure(let error): finish.soon([Reply(failed: error.why)], nil)
            }
        }
    }

    // MARK: Reads that wait

    /// What lies beyond the log's end would be waited for in vain: the log is asked for it first.
    private func startPlace(_ partition: Int, _ offset: Offset, _ context: ChannelHandlerContext) {
        isBusy = true
        let finish = finishing(context)
        let (store, place) = (around.store, around.store.events[partition])
        store.fence { failure in
            let end = store.read { copies, _ in copies.ends[partition] }
            // A log that cannot be asked is no reason not to wait.
            if failure != nil || offset < end { return finish.soon(naming: partition, offset) }
            finish.soon([.error("ERR \(place) ends at \(end): nothing is there at \(offset)")], nil)
        }
    }

    /// Reads wait for a place from now on.
    private func name(_ partition: Int, _ offset: Offset) {
        session.after[partition] = max(session.after[partition] ?? 0, offset + 1)
    }

    private func startFenced(_ context: ChannelHandlerContext) {
        let plans = take(.read)
        isBusy = true
        let finish = finishing(context)
        let store = around.store
        store.fence { failure in finish.soon(Self.answers(plans, store, failure), nil) }
    }

    private func startAfter(_ context: ChannelHandlerContext) {
        let plans = take(.read)
        isBusy = true
        let finish = finishing(context)
        let store = around.store
        store.wait(for: session.after) { failure in finish.soon(Self.answers(plans, store, failure), nil) }
    }

    /// Of large values no more are answered at once than a client is to take at once: those of the first plans.
    private static func answers(_ plans: [Plan], _ store: KeyStore, _ failure: String?) -> [Reply] {
        store.read { copies, now in
            var (replies, bytes) = ([Reply](), 0)
            for plan in plans where bytes < RESPLimits.together {
                guard case .read(let answer) = plan else {
                    replies.append(fixed(plan))
                    continue
                }
                let reply = failure.map { Reply(failed: $0) } ?? sound(store) { try answer(copies, now) }
                bytes += reply.bytes
                replies.append(reply)
            }
            return replies
        }
    }

    /// Takes answers from any thread to the connection's event loop.
    private struct Finishing: Sendable {
        let loop: any EventLoop
        let connection: NIOLoopBound<Connection>
        let context: NIOLoopBound<ChannelHandlerContext>

        func soon(_ replies: [Reply], _ last: (partition: Int, offset: Offset)?) {
            loop.execute { connection.value.finish(replies, last, context.value) }
        }

        func soon(naming partition: Int, _ offset: Offset) {
            loop.execute {
                connection.value.name(partition, offset)
                connection.value.finish([.ok], nil, context.value)
            }
        }
    }

    private func finishing(_ context: ChannelHandlerContext) -> Finishing {
        Finishing(
            loop: context.eventLoop, connection: NIOLoopBound(self, eventLoop: context.eventLoop),
            context: NIOLoopBound(context, eventLoop: context.eventLoop))
    }

    private func finish(
        _ replies: [Reply], _ last: (partition: Int, offset: Offset)?, _ context: ChannelHandlerContext
    ) {
        isBusy = false
        if isClosed { return }
        let left = taken.dropFirst(replies.count)
        if !left.isEmpty {
            queue.insert(contentsOf: left, at: queue.startIndex)
            queued += left.reduce(0) { $0 + Self.size(of: $1) }
            statistics.count(-left.count)
        }
        taken = []
        if let last { session.last = last }
        var out = context.channel.allocator.buffer(capacity: 64 * replies.count)
        for reply in replies { reply.write(to: &out, version: session.version) }
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        advance(context)
    }
}
