extension Suggester {
    /// What `learn suggestions` made, with the seed 18, of follow graphs that others published: LastFM Asia and GitHub (mutual
    /// follows, SNAP and MUSAE), Twitter's of KONECT (ego-twitter and munmun, CC BY-SA) and retweets about the Higgs boson (SNAP). Weights
    /// are numbers of these alone; nothing of a graph is in them. Figures: docs/learned.md.
    package static let learned = Suggester(weights: [
        0.0171,  // log followed by followees
        -0.3789,  // log common followees
        0.0056,  // log followed by followers
        1.2341,  // log followers followed
        -2.2479,  // log Adamic-Adar
        3.7011,  // root resource allocation
        0.7331,  // root by users alike
        3.5438,  // root by cofollowers
        12.468,  // root of walks of three
        -6.0887,  // root of walks of four
        0.4861,  // log walks of four
        3.8043,  // follows back
        0.3607,  // log followers
        -0.1353,  // log followees
        1.032,  // common a tie
        0.6237,  // cosine
    ])
}
