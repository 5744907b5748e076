internal import EventModel

/// One thing that happens in a simulation. A worker that is named is `tickets.handler/2`: the second of that name.
///
/// Steps stand on their own: one that is left out changes nothing of what the others draw, so a schedule can be shortened,
/// and one that makes no sense where it stands (a dead worker is killed) does nothing.
public enum Step: Sendable, Hashable {
    /// The ask of that number reaches the log. The same number again is a producer that tries again.
    case send(Int)
    /// Workers go on, one call after another, this many calls; who is next is drawn from the seed and the salt.
    case run(Int, salt: UInt64)
    /// A worker's process is gone, with its memory. Its group does not know before its session has run out.
    case kill(String)
    /// A worker that is dead is started anew.
    case start(String)
    /// A worker finishes what it has in hand, leaves its group and is started anew.
    case restart(String)
    /// A worker does nothing until it resumes.
    case stall(String)
    case resume(String)
    /// A worker's sessions run out: its partitions go to others, and it goes on as if they were still its own.
    case expel(String)
    /// What a worker's next commit meets.
    case fault(String, Fault)
    /// A worker's clock is this many milliseconds ahead.
    case skew(String, Int64)
    /// Milliseconds in which nobody does anything.
    case pass(Int64)
}

extension Step: CustomStringConvertible {
    /// As it is written in Swift.
    public var description: String {
        switch self {
        case .send(let n): ".send(\(n))"
        case .run(let calls, let salt): ".run(\(calls), salt: \(salt))"
        case .kill(let worker): ".kill(\"\(worker)\")"
        case .start(let worker): ".start(\"\(worker)\")"
        case .restart(let worker): ".restart(\"\(worker)\")"
        case .stall(let worker): ".stall(\"\(worker)\")"
        case .resume(let worker): ".resume(\"\(worker)\")"
        case .expel(let worker): ".expel(\"\(worker)\")"
        case .fault(let worker, let fault): ".fault(\"\(worker)\", .\(fault.rawValue))"
        case .skew(let worker, let milliseconds): ".skew(\"\(worker)\", \(milliseconds))"
        case .pass(let milliseconds): ".pass(\(milliseconds))"
        }
    }
}

/// How often what happens: so many of a hundred steps. What is left of the hundred lets workers go on.
public struct Mix: Sendable, Hashable {
    /// Somebody asks something.
    public var sends = 30.0
    /// An ask that was sent before comes again.
    public var repeats = 5.0
    /// A worker is killed, and loses what it had in memory.
    public var kills = 3.0
    /// How many of a hundred kills the group is told of at once: the others' sessions have to run out.
    public var noticed = 50.0
    /// A worker that was killed begins again.
    public var restarts = 2.0
    /// A worker stands still for a while, and does not know of it.
    public var stalls = 3.0
    /// A group puts out a member that still works.
    public var expulsions = 3.0
    /// A worker's next call of the log or the views fails.
    public var faults = 6.0
    /// A worker's clock goes wrong.
    public var skews = 2.0
    /// Time passes.
    public var passes = 6.0
    /// The longest time that passes, and the furthest that a clock goes wrong.
    public var longestPass = Duration.seconds(400)
    /// The furthest that a clock goes wrong, in either direction.
    public var furthestSkew = Duration.seconds(30)
    /// The most calls of one ``Step/run(_:salt:)``.
    public var mostCalls = 25

    /// The usual mix.
    public init() {}

    /// Asks, and workers that do their work.
    public static var calm: Mix {
        var mix = Mix()
        (mix.kills, mix.restarts, mix.stalls, mix.expulsions, mix.faults, mix.skews) = (0, 0, 0, 0, 0, 0)
        return mix
    }

    /// A schedule of that many steps.
    func steps(_ count: Int, seed: UInt64, workers: [String]) -> [Step] {
        var random = SeededRandom(seed, 1)
        var steps: [Step] = []
        var sent = 0
        /// What is to come some steps later: a start after a kill, and the like.
        var later: [Int: [Step]] = [:]
        for i in 0..<count {
            steps += later.removeValue(forKey: i) ?? []
            let worker = workers.randomElement(using: &random) ?? ""
            let then = i + Int.random(in: 1...12, using: &random)
            var dice = Double.random(in: 0..<100, using: &random)
            func falls(_ share: Double) -> Bool {
                dice -= share
                return dice < 0
            }
            if falls(sends) {
                steps.append(.send(sent))
                sent += 1
            } else if falls(repeats) {
                if sent > 0 { steps.append(.send(Int.random(in: max(0, sent - 20)..<sent, using: &random))) }
            } else if falls(kills) {
                steps.append(.kill(worker))
                if random.chance(noticed) {
                    steps.append(.expel(worker))
                } else {
                    later[i + Int.random(in: 1...12, using: &random), default: []].append(.expel(worker))
                }
                later[then, default: []].append(.start(worker))
            } else if falls(restarts) {
                steps.append(.restart(worker))
            } else if falls(stalls) {
                steps.append(.stall(worker))
                if Bool.random(using: &random) { steps.append(.expel(worker)) }
                later[then, default: []].append(.resume(worker))
            } else if falls(expulsions) {
                steps.append(.expel(worker))
            } else if falls(faults) {
                steps.append(.fault(worker, Fault.allCases.randomElement(using: &random) ?? .aborted))
            } else if falls(skews) {
                let furthest = furthestSkew.milliseconds
                steps.append(.skew(worker, Int64.random(in: -furthest...furthest, using: &random)))
            } else if falls(passes) {
                // Most waits are short, some are as long as a hold.
                let longest = random.chance(70) ? 2000 : longestPass.milliseconds
                steps.append(.pass(Int64.random(in: 1...max(1, longest), using: &random)))
            } else {
                steps.append(.run(Int.random(in: 1...mostCalls, using: &random), salt: random.next() >> 44))
            }
        }
        return steps + later.sorted { $0.key < $1.key }.flatMap(\.value)
    }
}
