internal import EventLog
internal import EventModel
internal import Foundation
internal import Synchronization

/// How commands of many senders come to the log together.
extension CommandClient {
    /// So many commands under way are worth a pause before the next append, so that more go into it: whoever is answered may send
    /// again at once.
    static let many = 8
    /// How long that pause is.
    static let gathering = Duration.microseconds(Int(String(cString: getenv("KVD") ?? strdup("0"))) ?? 0)
    /// Commands of one append.
    private static let portion = 8_192

    /// Appends what is sent, until it is cancelled.
    ///
    /// On a log whose appends are all or nothing one follows another, and each has all that came meanwhile: a commit costs it about
    /// the same, however many commands it has. Another log puts together what comes together by itself.
    func append() async {
        let isAtomic = log.promises.contains(.atomicAppend)
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let version = queued.version
                let under = state.withLock { $0.queue.isEmpty ? 0 : $0.count }
                if under == 0 {
                    await queued.wait(past: version, atMost: .seconds(3600))
                    continue
                }
                if isAtomic, under >= Self.many, Self.gathering > .zero { try? await Task.sleep(for: Self.gathering) }
                let sendings = state.withLock { $0.next(Self.portion) }
                if isAtomic {
                    await append(sendings)
                } else {
                    group.addTask { await self.append(sendings) }
                }
            }
        }
    }

    private func append(_ sendings: [Sending]) async {
        do {
            _ = try await log.append(sendings.count == 1 ? sendings[0].appends : sendings.joined)
        } catch let error as LogError where sendings.count > 1 && error.isOfOne {
            for sending in sendings { await append([sending]) }
        } catch {
            for sending in sendings { fail(sending, error) }
        }
    }

    private func fail(_ sending: Sending, _ error: any Error) {
        let replies = state.withLock { state in
            sending.replies.flatMap { id, reply in state.take(id) { $0.reply === reply } }.map(\.reply)
        }
        for reply in replies { reply.give(.failure(error)) }
    }
}

extension CommandClient.State {
    /// Takes what goes into the next append.
    fileprivate mutating func next(_ portion: Int) -> [CommandClient.Sending] {
        var (taken, count) = (0, 0)
        while taken < queue.count, count < portion {
            count += queue[taken].replies.count
            taken += 1
        }
        if taken == queue.count {
            defer { queue = [] }
            return queue
        }
        defer { queue.removeFirst(taken) }
        return Array(queue.prefix(taken))
    }
}

extension [CommandClient.Sending] {
    /// The records of all, by partition, in their order.
    fileprivate var joined: [Append] {
        var (places, appends): ([TopicPartition: Int], [Append]) = ([:], [])
        for append in lazy.flatMap(\.appends) {
            if let place = places[append.target] {
                appends[place].records += append.records
            } else {
                places[append.target] = appends.count
                appends.append(append)
            }
        }
        return appends
    }
}

extension LogError {
    /// Whether it is of one partition or record, so that others may be appended all the same.
    fileprivate var isOfOne: Bool { [.damaged, .tooLarge, .unknownTopic, .mismatch].contains(kind) }
}
