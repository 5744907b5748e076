internal import EventModel
internal import KVDomain

/// Commands that change keys.
enum WriteCommands {
    private static let one = (1, 1, 1)

    static let all: [CommandEntry] = [
        CommandEntry(name: "set", arity: -3, kind: .write, keys: one) { arguments, _, around in
            SetCommand.plan(arguments, now: around.store.clock())
        },
        CommandEntry(name: "setnx", arity: 3, kind: .write, keys: one) { arguments, _, _ in
            single("setnx", .put(key: arguments[1], value: arguments[2], .never, .ifAbsent)) { _, _, _ in
                .integer(1)
            } refused: {
                $0 == "key-exists" ? .integer(0) : nil
            }
        },
        CommandEntry(name: "setex", arity: 4, kind: .write, keys: one) { arguments, _, _ in
            timed("setex", arguments, unit: 1000)
        },
        CommandEntry(name: "psetex", arity: 4, kind: .write, keys: one) { arguments, _, _ in
            timed("psetex", arguments, unit: 1)
        },
        CommandEntry(name: "getdel", arity: 2, kind: .write, keys: one) { arguments, _, _ in
            single("getdel", .delete(key: arguments[1])) { result, _, _ in
                guard case .done(let effect, _, _) = result, let before = effect.before else { return .null }
                return .bulk(before.value)
            }
        },
        CommandEntry(name: "del", arity: -2, kind: .write, keys: (1, -1, 1)) { arguments, _, _ in
            delete("del", arguments)
        },
        CommandEntry(name: "unlink", arity: -2, kind: .write, keys: (1, -1, 1)) { arguments, _, _ in
            delete("unlink", arguments)
        },
        CommandEntry(name: "mset", arity: -3, kind: .write, keys: (1, -1, 2)) { arguments, _, _ in
            many("mset", arguments, ifAbsent: false)
        },
        CommandEntry(name: "msetnx", arity: -3, kind: .write, keys: (1, -1, 2)) { arguments, _, _ in
            many("msetnx", arguments, ifAbsent: true)
        },
        CommandEntry(name: "incr", arity: 2, kind: .write, keys: one) { arguments, _, _ in add("incr", arguments[1], 1)
        },
        CommandEntry(name: "decr", arity: 2, kind: .write, keys: one) { arguments, _, _ in add("decr", arguments[1], -1)
        },
        CommandEntry(name: "incrby", arity: 3, kind: .write, keys: one) { arguments, _, _ in
            guard let by = arguments[2].number else { return .reply(.noInteger) }
            return add("incrby", arguments[1], by)
        },
        CommandEntry(name: "decrby", arity: 3, kind: .write, keys: one) { arguments, _, _ in
            guard let by = arguments[2].number else { return .reply(.noInteger) }
            if by == .min { return .reply(.error("ERR decrement would overflow")) }
            return add("decrby", arguments[1], -by)
        },
        CommandEntry(name: "append", arity: 3, kind: .write, keys: one) { arguments, _, _ in append(arguments) },
        CommandEntry(name: "expire", arity: -3, kind: .write, keys: one) { arguments, _, around in
            expire("expire", arguments, around, 1000, false)
        },
        CommandEntry(name: "pexpire", arity: -3, kind: .write, keys: one) { arguments, _, around in
            expire("pexpire", arguments, around, 1, false)
        },
        CommandEntry(name: "expireat", arity: -3, kind: .write, keys: one) { arguments, _, around in
            expire("expireat", arguments, around, 1000, true)
        },
        CommandEntry(name: "pexpireat", arity: -3, kind: .write, keys: one) { arguments, _, around in
            expire("pexpireat", arguments, around, 1, true)
        },
        CommandEntry(name: "persist", arity: 2, kind: .write, keys: one) { arguments, _, _ in
            single("persist", .expire(key: arguments[1], .never)) { result, _, _ in
                if case .done = result { .integer(1) } else { .integer(0) }
            } refused: {
                $0 == "unknown-key" ? .integer(0) : nil
            }
        },
        CommandEntry(name: "cas", arity: -4, kind: .write, keys: one) { arguments, _, _ in compareAndSet(arguments) },
    ]

    /// One change, and what is said of it.
    ///
    /// - Parameter refused: What is said of a refusal for that reason, where it is no error.
    static func single(
        _ name: String, _ write: KeyWrite,
        _ answer: @escaping @Sendable (WriteResult, Copies, Timestamp) throws -> Reply,
        refused: @escaping @Sendable (String) -> Reply? = { _ in nil }
    ) -> Plan {
        .write([write]) { results, copies, now in
            switch results[results.startIndex] {
            case .failed(let why): Reply(failed: why)
            case .refused(let reason, let message):
                refused(reason) ?? Reply(refused: reason, message, of: name)
            case let result: try answer(result, copies, now)
            }
        }
    }

    private static func timed(_ name: String, _ arguments: [Bytes], unit: Int64) -> Plan {
        guard let number = arguments[2].number else { return .reply(.noInteger) }
        guard let ttl = SetCommand.milliseconds(number, unit) else { return .reply(.expiry(name)) }
        return single(name, .put(key: arguments[1], value: arguments[3], .after(ttl), .always)) { _, _, _ in .ok }
    }

    private static func delete(_ name: String, _ arguments: [Bytes]) -> Plan {
        .write(arguments.dropFirst().map { .delete(key: $0) }) { results, _, _ in
            var count: Int64 = 0
            for result in results {
                switch result {
                case .done: count += 1
                case .unchanged: break
                case .refused(let reason, let message): return Reply(refused: reason, message, of: name)
                case .failed(let why): return Reply(failed: why)
                }
            }
            return .integer(count)
        }
    }

    private static func many(_ name: String, _ arguments: [Bytes], ifAbsent: Bool) -> Plan {
        if arguments.count % 2 == 0 { return .reply(.arity(name)) }
        let keys = stride(from: 1, to: arguments.count, by: 2).map { arguments[$0] }
        let tag = HashTag.of(keys[0])
        if keys.contains(where: { HashTag.of($0) != tag }) { return .reply(.crossSlot) }
        // Of several values of one key the last counts.
        var places: [Bytes: Int] = [:]
        var pairs: [KeyWrite.Pair] = []
        for (number, key) in keys.enumerated() {
            let pair = KeyWrite.Pair(key: key, value: arguments[2 + 2 * number])
            if let place = places[key] {
                pairs[place] = pair
            } else {
                places[key] = pairs.count
                pairs.append(pair)
            }
        }
        return single(name, .putMany(pairs, ifAbsent: ifAbsent)) { _, _, _ in
            ifAbsent ? .integer(1) : .ok
        } refused: {
            ifAbsent && $0 == "key-exists" ? .integer(0) : nil
        }
    }

    private static func add(_ name: String, _ key: Bytes, _ by: Int64) -> Plan {
        single(name, .increment(key: key, by: by)) { result, copies, now in
            var value: [UInt8]?
            if case .done(let effect, _, _) = result {
                value = effect.after?.value
            } else {
                value = try copies.live(key, at: now)?.value
            }
            guard let value, let number = Bytes(value).number else {
                return Reply(failed: "the number was added to, and has changed since")
            }
            return .integer(number)
        }
    }

    private static func append(_ arguments: [Bytes]) -> Plan {
        let key = arguments[1]
        // Nothing is put behind it: the key is there afterwards all the same.
        if arguments[2].isEmpty {
            return .write([.put(key: key, value: Bytes(), .never, .ifAbsent)]) { results, copies, now in
                if case .failed(let why) = results[results.startIndex] { return Reply(failed: why) }
                return .integer(Int64(try copies.live(key, at: now)?.value.count ?? 0))
            }
        }
        return single("append", .append(key: key, value: arguments[2])) { result, _, _ in
            guard case .done(let effect, _, _) = result, let after = effect.after else { return .integer(0) }
            return .integer(Int64(after.value.count))
        }
    }

    private static func expire(
        _ name: String, _ arguments: [Bytes], _ around: Around, _ unit: Int64, _ isMoment: Bool
    ) -> Plan {
        if arguments.count > 3 { return .reply(.error("ERR Unsupported option \(arguments[3].word)")) }
        guard let number = arguments[2].number else { return .reply(.noInteger) }
        let (milliseconds, isOver) = number.multipliedReportingOverflow(by: unit)
        if isOver { return .reply(.expiry(name)) }
        let now = isMoment ? around.store.clock().rawValue : 0
        // A moment before all others is over, too.
        let left = milliseconds < now ? 0 : milliseconds - now
        let write: KeyWrite
        if left <= 0 {
            write = .delete(key: arguments[1])
        } else if !KVLimits.ttl.contains(left) {
            return .reply(.expiry(name))
        } else {
            write = .expire(key: arguments[1], isMoment ? .at(Timestamp(milliseconds)) : .after(milliseconds))
        }
        let isDeletion = left <= 0
        return single(name, write) { result, _, _ in
            if isDeletion, case .unchanged = result { return .integer(0) }
            return .integer(1)
        } refused: {
            $0 == "unknown-key" ? .integer(0) : nil
        }
    }

    private static func compareAndSet(_ arguments: [Bytes]) -> Plan {
        guard let expected = arguments[2].number, expected >= 0 else { return .reply(.noInteger) }
        var ttl: Int64?
        if arguments.count > 4 {
            guard arguments.count == 6, ["EX", "PX"].contains(arguments[4].word) else { return .reply(.syntax) }
            guard let number = arguments[5].number else { return .reply(.noInteger) }
            ttl = SetCommand.milliseconds(number, arguments[4].word == "EX" ? 1000 : 1)
            if ttl == nil { return .reply(.expiry("cas")) }
        }
        let write = KeyWrite.compareAndSet(key: arguments[1], expected: expected, value: arguments[3], ttl: ttl)
        return single("cas", write) { result, _, _ in
            if case .done(let effect, _, _) = result, let after = effect.after { return .integer(after.revision) }
            return .integer(expected)
        } refused: {
            $0 == "other-revision" ? .null : nil
        }
    }
}

/// `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`.
enum SetCommand {
    /// A time to live that a key may have; nil of another.
    static func milliseconds(_ number: Int64, _ unit: Int64) -> Int64? {
        let (ttl, isOver) = number.multipliedReportingOverflow(by: unit)
        return !isOver && KVLimits.ttl.contains(ttl) ? ttl : nil
    }

    static func plan(_ arguments: [Bytes], now: Timestamp) -> Plan {
        var (expiry, condition, isGet) = (nil as KeyWrite.Expiry?, KeyWrite.Condition.always, false)
        var isOver = false
        var rest = arguments.dropFirst(3)
        while let option = rest.popFirst() {
            switch option.word {
            case "NX" where condition == .always: condition = .ifAbsent
            case "XX" where condition == .always: condition = .ifPresent
            case "GET": isGet = true
            case "KEEPTTL" where expiry == nil: expiry = .kept
            case "EX", "PX", "EXAT", "PXAT":
                guard expiry == nil, let value = rest.popFirst() else { return .reply(.syntax) }
                guard let number = value.number else { return .reply(.noInteger) }
                let unit: Int64 = option.word.hasPrefix("E") ? 1000 : 1
                let isMoment = option.word.hasSuffix("AT")
                let (moment, isTooLarge) = number.multipliedReportingOverflow(by: unit)
                if isMoment, isTooLarge || moment <= 0 || moment > now.rawValue + KVLimits.ttl.upperBound {
                    return .reply(.expiry("set"))
                }
                if !isMoment, milliseconds(number, unit) == nil { return .reply(.expiry("set")) }
                isOver = isMoment && moment <= now.rawValue
                expiry = isMoment ? .at(Timestamp(moment)) : .after(moment)
            default: return .reply(.syntax)
            }
        }
        if isOver, condition != .ifAbsent { return setOver(arguments[1], condition, isGet) }
        let value = arguments[2]
        let write = KeyWrite.put(key: arguments[1], value: value, expiry ?? .never, condition)
        if isGet, condition == .ifAbsent { return setOrGet(write, arguments[1]) }
        return WriteCommands.single("set", write) { [isGet] result, _, _ in
            if !isGet { return .ok }
            guard case .done(let effect, _, _) = result else { return .bulk(Array(value.slice)) }
            return effect.before.map { .bulk($0.value) } ?? .null
        } refused: { [isOver] in
            // Where there is no key, none is there afterwards.
            if isOver, $0 == "expiry-over" { return .ok }
            return ["key-exists", "unknown-key"].contains($0) ? .null : nil
        }
    }

    /// A moment that is over: as in Redis the key is gone at once.
    private static func setOver(_ key: Bytes, _ condition: KeyWrite.Condition, _ isGet: Bool) -> Plan {
        WriteCommands.single("set", .delete(key: key)) { result, _, _ in
            guard case .done(let effect, _, _) = result else {
                return isGet || condition == .ifPresent ? .null : .ok
            }
            if !isGet { return .ok }
            return effect.before.map { .bulk($0.value) } ?? .null
        }
    }

    /// With `NX` and `GET`: nil where the value was set, else what is there. Nothing was done then, so the moment that counts is the
    /// one at which the copy is read: a key that has gone by then would have been set, and nobody is told so.
    private static func setOrGet(_ write: KeyWrite, _ key: Bytes) -> Plan {
        .write([write]) { results, copies, now in
            switch results[results.startIndex] {
            case .failed(let why): return Reply(failed: why)
            case .refused("key-exists", _), .unchanged:
                guard let entry = try copies.live(key, at: now) else {
                    return Reply(failed: "the key was there, and has gone since; nothing was set")
                }
                return .bulk(entry.value)
            case .refused("expiry-over", _), .done: return .null
            case .refused(let reason, let message): return Reply(refused: reason, message, of: "set")
            }
        }
    }
}
