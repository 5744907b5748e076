#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What one suggestion gathers on its way through the graph. Users are numbered in the order in which they are met; 0 is the one who
/// is suggested to.
struct Gathering<User: Hashable & Comparable & Sendable> {
    /// Ties that were read, by the numbers of the users.
    private struct Read {
        var followees: [Int32]
        var followers: [Int32]
        var degrees: Degrees
        var degree: Double { Double(max(1, degrees.followers + degrees.followees)) }
    }

    let graph: any FollowGraph<User>
    let bounds: SuggestionBounds
    private(set) var own: Ties<User>
    private var numbers: [User: Int32] = [:]
    private var met: [User] = []
    private var known: [Acquaintance] = []
    /// By how few others follow whom a user and the one who is suggested to both follow.
    private var cofollowed: [Double] = []
    private var read: [(number: Int32, ties: Read)] = []
    private var places: [Int32: Int] = [:]

    init(_ user: User, in graph: any FollowGraph<User>, _ bounds: SuggestionBounds) throws {
        (self.graph, self.bounds) = (graph, bounds)
        own = try graph.ties(of: user, atMost: bounds.neighbours)
        let usual = 4096
        numbers.reserveCapacity(usual)
        met.reserveCapacity(usual)
        known.reserveCapacity(usual)
        cofollowed.reserveCapacity(usual)
        _ = number(user)
    }

    private mutating func number(_ user: User) -> Int32 {
        if let number = numbers[user] { return number }
        let number = Int32(met.count)
        numbers[user] = number
        met.append(user)
        known.append(Acquaintance())
        cofollowed.append(0)
        return number
    }

    private mutating func ties(of number: Int32) throws -> Read {
        if let place = places[number] { return read[place].ties }
        let ties = try graph.ties(of: met[Int(number)], atMost: bounds.ties)
        let found = Read(
            followees: ties.followees.map { self.number($0) }, followers: ties.followers.map { self.number($0) },
            degrees: ties.degrees)
        places[number] = read.count
        read.append((number, found))
        return found
    }

    mutating func goTwoHops() throws {
        let followees = Set(own.followees.map { number($0) })
        let followers = Set(own.followers.map { number($0) })
        for follower in followers { known[Int(follower)].followsBack = 1 }
        for user in own.followees + own.followers {
            let neighbour = number(user)
            if places[neighbour] != nil { continue }
            let ties = try ties(of: neighbour)
            let (out, into) = (followees.contains(neighbour) ? 1.0 : 0, followers.contains(neighbour) ? 1.0 : 0)
            let (rare, share) = (1 / log(1 + ties.degree), 1 / ties.degree)
            for candidate in ties.followees.map(Int.init) {
                known[candidate].followedByFollowees += out
                known[candidate].followedByFollowers += into
                known[candidate].adamicAdar += rare
                known[candidate].resourceAllocation += share
            }
            let few = out / Double(max(1, ties.degrees.followers))
            for candidate in ties.followers.map(Int.init) {
                known[candidate].commonFollowees += out
                known[candidate].followersFollowed += into
                known[candidate].adamicAdar += rare
                known[candidate].resourceAllocation += share
                cofollowed[candidate] += few
            }
        }
    }

    /// By those who are most alike, to whom they follow, and on walks of three and four steps through who was read.
    mutating func goFurther() throws {
        var alike = Best<User, Int32>(bounds.alike)
        for number in known.indices.dropFirst() where known[number].resourceAllocation > 0 {
            alike.add(met[number], known[number].resourceAllocation, Int32(number))
        }
        for (_, weight, number) in alike.found {
            let ties = try ties(of: number)
            let scale = 1 / (1 + Double(ties.degrees.followees)).squareRoot()
            let (alike, cofollowed) = (weight * scale, cofollowed[Int(number)] * scale)
            for candidate in ties.followees.map(Int.init) {
                known[candidate].byUsersAlike += alike
                known[candidate].byCofollowers += cofollowed
            }
        }
        let whole = Double(max(1, own.degrees.followers + own.degrees.followees))
        let three = stepped(known.map { $0.resourceAllocation / whole })
        let four = stepped(three)
        for number in known.indices {
            (known[number].walksOfThree, known[number].walksOfFour) = (three[number], four[number])
        }
    }

    /// One step more of walks from those whose ties were read.
    private func stepped(_ shares: [Double]) -> [Double] {
        var ends = [Double](repeating: 0, count: known.count)
        for (number, ties) in read {
            let share = shares[Int(number)] / ties.degree
            if share == 0 { continue }
            for other in ties.followees { ends[Int(other)] += share }
            for other in ties.followers { ends[Int(other)] += share }
        }
        return ends
    }

    func best(excluding excluded: (User) throws -> Bool) throws -> [(user: User, why: Acquaintance)] {
        var followed = Set(own.followees)
        followed.insert(met[0])
        var ranked = Best<User, Acquaintance>(bounds.candidates)
        let whole = Double(max(1, own.degrees.followers + own.degrees.followees))
        for (one, why) in zip(met, known).dropFirst() where !followed.contains(one) {
            let first =
                why.resourceAllocation + why.byUsersAlike + why.followsBack + whole
                * (why.walksOfThree + why.walksOfFour)
            if first > 0, ranked.takes(one, first), try !excluded(one) { ranked.add(one, first, why) }
        }
        var best = ranked.found.map { (user: $0.user, why: $0.value) }
        let near = Set(best.map(\.user))
        for one in try graph.popular(atMost: bounds.popular) where !followed.contains(one) && !near.contains(one) {
            if try !excluded(one) { best.append((one, numbers[one].map { known[Int($0)] } ?? Acquaintance())) }
        }
        // Of those whose ties were read it is known how many they have.
        var others: [Int] = []
        for i in best.indices {
            if let place = numbers[best[i].user].flatMap({ places[$0] }) {
                best[i].why.degrees = read[place].ties.degrees
            } else {
                others.append(i)
            }
        }
        for (i, degrees) in zip(others, try graph.degrees(of: others.map { best[$0].user })) {
            best[i].why.degrees = degrees
        }
        return best
    }
}

/// The best so many of what is added: the highest first, of equal ones the least user.
struct Best<User: Comparable, Value> {
    let limit: Int
    private(set) var found: [(user: User, score: Double, value: Value)] = []

    init(_ limit: Int) { self.limit = limit }

    private func precedes(_ user: User, _ score: Double, _ other: (user: User, score: Double, value: Value)) -> Bool {
        score > other.score || score == other.score && user < other.user
    }

    func takes(_ user: User, _ score: Double) -> Bool {
        guard found.count == limit, let last = found.last else { return limit > 0 }
        return precedes(user, score, last)
    }

    mutating func add(_ user: User, _ score: Double, _ value: Value) {
        if !takes(user, score) { return }
        if found.count == limit { found.removeLast() }
        var (low, high) = (0, found.count)
        while low < high {
            let middle = (low + high) / 2
            if precedes(user, score, found[middle]) { high = middle } else { low = middle + 1 }
        }
        found.insert((user, score, value), at: low)
    }
}
