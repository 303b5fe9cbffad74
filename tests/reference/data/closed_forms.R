# Writes closed_forms.json: R 4.2.2, base packages. Rscript closed_forms.R, in this folder.
number <- function(x) trimws(formatC(x, digits = 15, format = "g"))
row <- function(...) paste0("  [", paste(number(c(...)), collapse = ", "), "]")
block <- function(rows) paste0("[\n", paste(rows, collapse = ",\n"), "\n ]")
wilson <- function(x, n) as.numeric(prop.test(x, n, correct = FALSE)$conf.int)
exact <- function(x, n) as.numeric(binom.test(x, n)$conf.int)

# Newcombe's method 10 squares and adds the distances to the Wilson limits, which here are R's own.
newcombe <- function(a, m, b, n) {
  p <- a / m
  q <- b / n
  one <- wilson(a, m)
  two <- wilson(b, n)
  c(p - q - sqrt((p - one[1])^2 + (two[2] - q)^2), p - q + sqrt((one[2] - p)^2 + (q - two[1])^2))
}

singles <- list(c(81, 263), c(15, 148), c(0, 20), c(1, 29))
pairs <- list(
  c(56, 70, 48, 80), c(9, 10, 3, 10), c(6, 7, 2, 7), c(5, 56, 0, 29), c(0, 10, 0, 20), c(0, 10, 0, 10),
  c(10, 10, 0, 20), c(10, 10, 0, 10)
)

# Type S and M errors by numerical integration over the two tails, not by a closed form.
design <- function(effect, error) {
  z <- qnorm(0.975) * error
  density <- function(x) dnorm(x, effect, error)
  tail <- function(f, from, to) integrate(f, from, to, rel.tol = 1e-12)$value
  far <- 12 * error + abs(effect)
  up <- tail(density, z, far)
  down <- tail(density, -far, -z)
  size <- tail(function(x) abs(x) * density(x), z, far) + tail(function(x) abs(x) * density(x), -far, -z)
  c(up + down, down / (up + down), size / (up + down) / effect)
}

# The E-value from the bias factor's own bound: the least g with g * g / (g + g - 1) equal to the ratio.
bias <- function(ratio) uniroot(function(g) g^2 / (2 * g - 1) - ratio, c(1, 100), tol = 1e-14)$root

writeLines(c(
  "{", paste0(' "wilson": ', block(sapply(singles, function(s) row(s, wilson(s[1], s[2])))), ","),
  paste0(' "exact": ', block(sapply(singles, function(s) row(s, exact(s[1], s[2])))), ","),
  paste0(' "newcombe": ', block(sapply(pairs, function(s) row(s, newcombe(s[1], s[2], s[3], s[4])))), ","),
  paste0(' "design": ', block(sapply(list(c(0.1, 3.28), c(1, 3.28), c(2, 8.1), c(5, 2)), function(s) row(s, design(s[1], s[2])))), ","),
  paste0(' "e_value": ', block(sapply(c(3.9, 1.8, 1.25, 10.73), function(s) row(s, bias(s))))), "}"
), "closed_forms.json")
