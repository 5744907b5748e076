internal import Caching
internal import EventModel
internal import MillraceBus
internal import Projecting
internal import Synchronization

/// Answers of views that are given again while their views stand as they do.
///
/// An answer is kept with the version that its view had before it was read, and given where the view has that version still. So it is
/// never older than what anybody was shown before: see ``ViewStore/version(liveOf:)``. A store that cannot tell keeps none.
final class KnownAnswers: Sendable {
    private struct Key: Hashable, Sendable {
        var query: Int
        var arguments: [Value]
    }
    private struct Kept: Sendable {
        var version: ViewVersion
        var answer: RouteAnswer
    }
    private let views: any ViewStore
    /// Made when the first is asked for.
    private let cache = Once<Cache<Key, Kept>>()
    init(_ views: any ViewStore) { self.views = views }

    /// The first page of a query as its view stands now, without waiting; nil where that cannot be had.
    func answer(_ question: KnownQuestion, _ arguments: [String: Value]) -> RouteAnswer? {
        guard let version = views.version(liveOf: question.asked.projection) else { return nil }
        let key = key(question, arguments)
        if let kept = made.value(key), kept.version == version { return kept.answer }
        question.isWanted = true
        guard let page = try? question.asked.pageNow(arguments, in: views) else { return nil }
        return keep(page, key, version)
    }

    /// Which state of a view an answer belongs to that is about to be asked for; nil where it need not be kept.
    func version(before question: KnownQuestion) -> ViewVersion? {
        question.isWanted ? views.version(liveOf: question.asked.projection) : nil
    }

    func keep(_ page: Page, of question: KnownQuestion, _ arguments: [String: Value], _ version: ViewVersion) {
        _ = keep(page, key(question, arguments), version)
    }

    private var made: Cache<Key, Kept> {
        cache.value {
            let start = ContinuousClock.now
            return Cache(CacheOptions(capacity: GatewayLimits.knownAnswers, policy: .sieve)) {
                Int64((ContinuousClock.now - start) / .nanoseconds(1))
            }
        }
    }

    private func key(_ question: KnownQuestion, _ arguments: [String: Value]) -> Key {
        let values =
            arguments.count < 2
            ? arguments.flatMap { [.text($0.key), $0.value] }
            : arguments.sorted { $0.key < $1.key }.flatMap { [.text($0.key), $0.value] }
        return Key(query: question.number, arguments: values)
    }

    /// Of what lies on several pages the first is no answer that could be gone on from.
    private func keep(_ page: Page, _ key: Key, _ version: ViewVersion) -> RouteAnswer? {
        if page.next != nil { return nil }
        let answer = RouteAnswer(columns: page.columns, rows: page.rows)
        var bytes = 0
        for row in page.rows { for case .text(let text) in row { bytes += text.utf8.count } }
        if bytes <= GatewayLimits.knownBytes { made.set(key, to: Kept(version: version, answer: answer)) }
        return answer
    }
}

/// A query that routes ask.
final class KnownQuestion: Sendable {
    let asked: ViewQuestion
    /// Among all queries.
    let number: Int
    private let wanted = Atomic(false)

    init(_ asked: ViewQuestion, number: Int) { (self.asked, self.number) = (asked, number) }

    /// Whether it was asked for by a route that answers at once.
    var isWanted: Bool {
        get { wanted.load(ordering: .relaxed) }
        set { if newValue != isWanted { wanted.store(newValue, ordering: .relaxed) } }
    }
}
