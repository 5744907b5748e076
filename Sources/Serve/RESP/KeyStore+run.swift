internal import EventLog
internal import EventModel
internal import Handling
internal import KVDomain
internal import Synchronization

extension KeyStore {
    /// Records folded before others may look.
    private static let piece = 256
    /// Commands of one append.
    private static let portion = 8_192
    private static let look = Duration.milliseconds(250)

    /// Follows the log until it is cancelled.
    ///
    /// - Parameter ready: Called once the copies have what was on the log at the start.
    package func run(ready: @escaping @Sendable () -> Void) async throws {
        let starts = try await log.bounds(of: events + outcomes)
        var positions = starts.mapValues(\.upperBound)
        positions.merge(try await restore(starts.filter { $0.key.topic == events[0].topic })) { $1 }
        let reader = try await log.reader(from: positions)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.follow(reader) }
                group.addTask { await self.append() }
                group.addTask { try await self.askEnds() }
                group.addTask { await self.sweep() }
                tellWhenReady(ready)
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch is CancellationError {
        } catch {
            end("the log cannot be read: \(error)")
            await reader.close()
            throw error
        }
        end("the server stops")
        await reader.close()
    }

    /// However long the copies take to come to what was on the log.
    private func tellWhenReady(_ ready: @escaping @Sendable () -> Void) {
        fence { [self] failure in
            if failure == nil { return ready() }
            if state.withLock({ $0.isOver == nil }) { tellWhenReady(ready) }
        }
    }

    // MARK: Following

    private func follow(_ reader: any LogReader) async throws {
        while !Task.isCancelled {
            try await verifyWhatIsAsked()
            for batch in try await reader.next(max: 20_000, wait: Self.look) {
                let number = Int(batch.source.partition.rawValue)
                if batch.source.topic == events[0].topic {
                    var start = batch.records.startIndex
                    repeat {
                        let end = min(start + Self.piece, batch.records.endIndex)
                        let next = end == batch.records.endIndex ? batch.next : nil
                        do {
                            try fold(batch.records[start..<end], number, next)
                        } catch is DamagedBlock {
                            note(try await repair(number, isWhole: true))
                            try fold(batch.records[start..<end], number, next)
                        }
                        start = end
                    } while start < batch.records.endIndex
                } else {
                    hear(batch.records)
                }
            }
        }
    }

    private func verifyWhatIsAsked() async throws {
        while let (partition, done) = state.withLock({ $0.verifying.isEmpty ? nil : $0.verifying.removeFirst() }) {
            let repair = try await repair(partition, isWhole: false)
            note(repair)
            done(.success(repair))
        }
    }

    private func note(_ repair: Repair) {
        state.withLock { state in
            state.repairs.ranges += repair.ranges
            state.repairs.keys += repair.keys
        }
    }

    private func fold(_ records: ArraySlice<Record>, _ number: Int, _ next: Offset?) throws {
        var (done, fenced, isDue): ([Group], [Fence], Bool) = ([], [], false)
        try state.withLock { state in
            for record in records {
                let effect: KeyCopy.Effect
                do {
                    effect = try state.copies.apply(record.value, to: number, telling: !state.pending.isEmpty)
                } catch let error as Undecodable {
                    throw LogError(.damaged, "\(events[number])@\(record.offset) cannot be folded: \(error)")
                }
                guard !state.pending.isEmpty, let cause = record[header: HeaderName.cause],
                    var pending = state.pending[cause], pending.partition == number
                else { continue }
                pending.effect = (effect, record.offset)
                state.pending[cause] = pending
                if pending.isAccepted { state.finish(cause, &done) }
            }
            guard let end = next ?? records.last.map({ $0.offset + 1 }) else { return }
            state.copies.advance(number, to: end)
            fenced = state.release(number)
            isDue = state.mayAppend
        }
        if isDue { appending.notify() }
        for group in done { group.done(group.results) }
        for fence in fenced { fence.done(nil) }
    }

    private func hear(_ records: [Record]) {
        let awaited = state.withLock { state in
            records.filter { record in record[header: HeaderName.id].map { state.pending[$0] != nil } ?? false }
        }
        if awaited.isEmpty { return }
        let outcomes = awaited.compactMap { record in try? Outcome(record.value) }
        var (done, isAsking, isDue): ([Group], Bool, Bool) = ([], false, false)
        state.withLock { state in
            for outcome in outcomes {
                guard var pending = state.pending[outcome.id] else { continue }
                if outcome.accepted, !outcome.events.isEmpty {
                    pending.isAccepted = true
                    state.pending[outcome.id] = pending
                    if pending.effect != nil { state.finish(outcome.id, &done) }
                    continue
                }
                // It goes by what was there when it was decided, which the copy may not have yet: whoever reads next must.
                let result: WriteResult =
                    outcome.accepted ? .unchanged : .refused(reason: outcome.reason, message: outcome.message)
                isAsking = true
                let (id, store) = (outcome.id, self)
                state.asking.append(
                    Fence { failure in store.settle(id, failure.map { .failed($0) } ?? result) })
            }
            isDue = state.mayAppend
        }
        if isDue { appending.notify() }
        for group in done { group.done(group.results) }
        if isAsking { fencing.notify() }
    }

    /// Gives a change its result.
    private func settle(_ id: String, _ result: WriteResult) {
        let (group, isDue) = state.withLock { state -> (Group?, Bool) in
            guard let pending = state.pending.removeValue(forKey: id) else { return (nil, false) }
            pending.group.results[pending.place] = result
            pending.group.left -= 1
            return (pending.group.left == 0 ? pending.group : nil, state.mayAppend)
        }
        if isDue { appending.notify() }
        if let group { group.done(group.results) }
    }

    // MARK: Writing

    /// One append after another, each of all that came while the one before was on its way.
    private func append() async {
        while !Task.isCancelled {
            let version = appending.version
            let (records, pause) = state.withLock { $0.takeQueued(atMost: Self.portion, or: Self.look) }
            if records.isEmpty {
                await appending.wait(past: version, atMost: pause)
                continue
            }
            do {
                _ = try await log.append(Append.byKey(records, to: commandsTopic, among: events.count))
            } catch {
                for record in records {
                    guard let id = record.headers.first(where: { $0.name == HeaderName.id })?.value.text else {
                        continue
                    }
                    settle(id, .failed("the log did not take it, or did not say so: \(error)"))
                }
            }
        }
    }

    // MARK: Fences

    /// Asks the log where it ends, for all who wait to know it.
    private func askEnds() async throws {
        while !Task.isCancelled {
            let seen = fencing.version
            let asking = state.withLock { state in
                defer { state.asking = [] }
                return state.asking
            }
            if asking.isEmpty {
                await fencing.wait(past: seen, atMost: .seconds(1))
                continue
            }
            // What is committed while the ends are asked for makes another version.
            let version = log.version
            let ends = try await log.bounds(of: events).mapValues(\.upperBound)
            let ready = state.withLock { state in
                let ahead = events.indices.filter { ends[events[$0]] ?? 0 > state.copies.ends[$0] }
                state.behind = ahead.reduce(0) { sum, number in
                    sum + (ends[events[number]] ?? 0).rawValue - state.copies.ends[number].rawValue
                }
                if ahead.isEmpty {
                    (state.reached, state.whole) = (.now, version)
                    return asking
                }
                for fence in asking {
                    fence.left = ahead.count
                    for number in ahead { state.waiting[number].append((ends[events[number]] ?? 0, fence)) }
                }
                return []
            }
            for fence in ready { fence.done(nil) }
        }
    }

    /// Tells those whose time is over.
    private func sweep() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.look)
            let now = ContinuousClock.now
            let (ids, fences) = state.withLock { state -> ([String], [Fence]) in
                let ids = state.pending.compactMap { $0.value.group.deadline <= now ? $0.key : nil }
                var late: [Fence] = []
                for number in state.waiting.indices
                where state.waiting[number].contains(where: { $0.fence.deadline <= now }) {
                    for entry in state.waiting[number] where entry.fence.deadline <= now && entry.fence.left > 0 {
                        entry.fence.left = 0
                        late.append(entry.fence)
                    }
                    state.waiting[number].removeAll { $0.fence.deadline <= now }
                }
                return (ids, late)
            }
            for id in ids {
                settle(id, .failed("no handler has answered for \(RESPLimits.patience); it may still be decided"))
            }
            for fence in fences { fence.done("the copy does not reach the log's end") }
        }
    }

    /// Nobody follows any more: all who wait are told why, and all who come.
    private func end(_ why: String) {
        let (ids, fences, verifying) = state.withLock { state in
            state.isOver = state.isOver ?? why
            defer { state.verifying = [] }
            var fences = state.asking
            state.asking = []
            for number in state.waiting.indices {
                for entry in state.waiting[number] where entry.fence.left > 0 {
                    entry.fence.left = 0
                    fences.append(entry.fence)
                }
                state.waiting[number] = []
            }
            return (Array(state.pending.keys), fences, state.verifying)
        }
        for one in verifying { one.done(.failure(KeyStoreIsOver(why: why))) }
        for fence in fences { fence.done(why) }
        for id in ids { settle(id, .failed(why)) }
    }
}

extension KeyStore.State {
    /// Whether some wait for an append that need not wait for more.
    var mayAppend: Bool { Gathering.isEnough(waiting: queue.count, underWay: underWay) }
    /// On the log, and without an outcome.
    private var underWay: Int { pending.count - queue.count }

    /// What is to be appended now; else nothing, and how long to wait for more.
    fileprivate mutating func takeQueued(atMost most: Int, or idle: Duration) -> ([NewRecord], Duration) {
        if queue.isEmpty { return ([], idle) }
        let now = ContinuousClock.now
        let pause = gathering.pause(waiting: queue.count, underWay: underWay, at: now)
        if pause > .zero { return ([], pause) }
        let taken = Array(queue.prefix(most))
        queue.removeFirst(taken.count)
        gathering.taken(all: queue.isEmpty, at: now)
        return (taken, .zero)
    }

    /// A change whose event is in the copy, and whose outcome is known.
    fileprivate mutating func finish(_ id: String, _ done: inout [KeyStore.Group]) {
        guard let pending = pending.removeValue(forKey: id), let (effect, offset) = pending.effect else { return }
        pending.group.results[pending.place] = .done(effect, partition: pending.partition, offset)
        pending.group.left -= 1
        if pending.group.left == 0 { done.append(pending.group) }
    }

    /// Those for whom all copies have come far enough, with that of a partition.
    fileprivate mutating func release(_ number: Int) -> [KeyStore.Fence] {
        if waiting[number].isEmpty { return [] }
        let end = copies.ends[number]
        var ready: [KeyStore.Fence] = []
        waiting[number].removeAll { entry in
            if entry.end > end { return false }
            if entry.fence.left > 0 {
                entry.fence.left -= 1
                if entry.fence.left == 0 { ready.append(entry.fence) }
            }
            return true
        }
        if waiting.allSatisfy(\.isEmpty) { (behind, reached) = (0, .now) }
        return ready
    }
}
