public import EventModel

/// Shares partitions among members: as evenly as can be, and so that each member keeps what it has as far as that allows.
///
/// Pure, and the same for every member that asks with the same facts, so that members need no leader.
/// - Parameter owned: who has which partition now; owners that are no members are passed over.
public func assignment(
    of partitions: [TopicPartition], among members: [String], owned: [TopicPartition: String]
) -> [String: Set<TopicPartition>] {
    guard !members.isEmpty else { return [:] }
    let members = members.sorted()
    let partitions = partitions.sorted()
    var shares: [String: Set<TopicPartition>] = Dictionary(uniqueKeysWithValues: members.map { ($0, []) })
    for partition in partitions {
        if let owner = owned[partition] { shares[owner]?.insert(partition) }
    }
    // The first members in order get one more where the count does not come out even; those who have more already first.
    let (least, extra) = partitions.count.quotientAndRemainder(dividingBy: members.count)
    let byShare = members.sorted { (shares[$1]!.count, $0) < (shares[$0]!.count, $1) }
    var quota: [String: Int] = [:]
    for (i, member) in byShare.enumerated() { quota[member] = least + (i < extra ? 1 : 0) }
    for member in members {
        for surplus in shares[member]!.sorted().dropFirst(quota[member]!) { shares[member]!.remove(surplus) }
    }
    let taken = shares.values.reduce(into: Set<TopicPartition>()) { $0.formUnion($1) }
    var free = partitions.filter { !taken.contains($0) }[...]
    for member in members {
        while shares[member]!.count < quota[member]!, let next = free.popFirst() { shares[member]!.insert(next) }
    }
    return shares
}

/// The same where members may want different topics: those that the same members want are shared together.
/// - Parameter topics: what each member wants.
public func assignment(
    of partitions: [TopicPartition], wanting topics: [String: Set<String>], owned: [TopicPartition: String]
) -> [String: Set<TopicPartition>] {
    let wanting = topics.reduce(into: [String: Set<String>]()) { wanting, member in
        for topic in member.value { wanting[topic, default: []].insert(member.key) }
    }
    var shares = topics.mapValues { _ in Set<TopicPartition>() }
    for (members, partitions) in Dictionary(grouping: partitions, by: { wanting[$0.topic] ?? [] }) {
        shares.merge(assignment(of: partitions, among: Array(members), owned: owned)) { $0.union($1) }
    }
    return shares
}
