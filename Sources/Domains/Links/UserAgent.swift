internal import Synchronization

/// What a client says of itself, as far as links care.
struct UserAgent {
    let device: LinksDevice
    /// Whether it only shows what a link leads to, to somebody who was sent it: nobody has followed the link yet.
    let isPreview: Bool

    private static let previews = [
        "facebookexternalhit", "facebookcatalog", "slackbot-linkexpanding", "slack-imgproxy", "twitterbot", "whatsapp",
        "telegrambot",
        "discordbot", "linkedinbot", "skypeuripreview", "pinterestbot", "redditbot", "viber", "embedly", "iframely",
        "snapchat", "vkshare", "mastodon", "bluesky cardyb", "google-pagerenderer", "microsoftpreview", "bitlybot",
    ]
    private static let bots = [
        "bot", "crawl", "spider", "slurp", "archiver", "curl/", "wget/", "python", "java/", "go-http-client", "okhttp",
        "libwww", "httpclient", "headless", "phantomjs", "lighthouse", "monitor", "uptime", "scanner", "preview",
        "feed",
        "axios/", "node-fetch", "ruby", "perl", "php/", "scrapy", "validator", "checker", "mediapartners",
    ]

    init(_ text: String?) {
        let text = (text ?? "").lowercased()
        isPreview = Self.previews.contains { text.contains($0) }
        if text.isEmpty || isPreview || Self.bots.contains(where: { text.contains($0) }) {
            device = .bot
        } else if text.contains("ipad") || text.contains("tablet") || text.contains("kindle")
            || text.contains("android") && !text.contains("mobile")
        {
            device = .tablet
        } else if text.contains("mobi") || text.contains("iphone") || text.contains("android") {
            device = .mobile
        } else {
            device = .desktop
        }
    }
}

/// What clients say of themselves is the same again and again, and to look through it costs more than to follow a link.
final class UserAgents: Sendable {
    private static let remembered = 10_000
    /// Longer ones are not kept.
    private static let longest = 512
    private let known = Mutex<[String: UserAgent]>([:])

    func agent(_ text: String?) -> UserAgent {
        guard let text, text.utf8.count <= Self.longest else { return UserAgent(text) }
        if let agent = known.withLock({ $0[text] }) { return agent }
        let agent = UserAgent(text)
        known.withLock { known in
            // Whoever makes up many has them looked through again.
            if known.count >= Self.remembered { known = [:] }
            known[text] = agent
        }
        return agent
    }
}
