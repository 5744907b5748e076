/// What links allows at most. Each limit has its name here and nowhere else.
enum LinksLimits {
    /// Bytes of a URL: as much as the servers that it leads to take, as a rule.
    static let url = 8_000
    /// Characters of an alias.
    static let alias = 3...50
    static let title = 300
    static let tags = 20
    static let tag = 50
    /// Bytes of a password's hash.
    static let hash = 512
    /// Links of one bucket: so many URLs of people who want to fill it.
    static let ofBucket = 20_000
    /// How long a link that expired or was deleted can be restored.
    static let restore = Duration.seconds(30 * 86_400)
    /// Bytes of a referrer's host.
    static let referrer = 253
    /// Referrers of one link that are told apart, in each partition of its clicks. Clicks from others are counted together.
    static let referrers: Int64 = 500
    /// Over how many keys the clicks of one link are spread, so that a busy link is not one hot partition.
    static let salts: UInt32 = 16
}
