# Writes seat_belts.csv and seat_belts.json with R 4.2.2, MASS 7.3, sandwich 3.0.2 and nlme 3.1.
# Data: `Seatbelts` of R's own datasets package (Harvey and Durbin 1986, JRSS A 149, 187-227): monthly car drivers
# killed or seriously injured in Great Britain, 1969 to 1984; front seat belts compulsory from 31 January 1983.
library(MASS); library(sandwich); library(nlme)
d <- as.data.frame(Seatbelts)
n <- nrow(d)
months <- sprintf("%d-%02d-01", 1969 + (seq_len(n) - 1) %/% 12, (seq_len(n) - 1) %% 12 + 1)
out <- data.frame(month = months, drivers = d$drivers, rear = d$rear, vans = d$VanKilled, kms = d$kms)
write.csv(out, "seat_belts.csv", row.names = FALSE, quote = FALSE)
s <- which(months == "1983-02-01") - 1
t <- seq_len(n) - 1
out$t <- t - s; out$D <- as.numeric(t >= s); out$S <- out$D * (t - s)
out$m <- factor(t %% 12)
for (k in 1:2) { out[[paste0("s", k)]] <- sin(2 * pi * k * t / 12); out[[paste0("c", k)]] <- cos(2 * pi * k * t / 12) }
se <- function(v) sqrt(diag(v))[c("D", "S")]
co <- function(f) coef(f)[c("D", "S")]
show <- function(f, v, ...) list(coefficient = unname(co(f)), std_error = unname(se(v)), ...)
quasi <- glm(drivers ~ t + D + S + m + offset(log(kms)), family = quasipoisson, data = out)
pois <- glm(vans ~ t + D + S + s1 + c1 + s2 + c2, family = poisson, data = out)
nb <- glm.nb(drivers ~ t + D + S + m + offset(log(kms)), data = out, control = glm.control(epsilon = 1e-12, maxit = 200))
gaus <- lm(drivers ~ t + D + S + m, data = out)
hac <- function(f, lag) NeweyWest(f, lag = lag, prewhite = FALSE, adjust = TRUE)
# Prais and Winsten by iteration, from base R; nlme::gls at the rho it ends with is the second witness.
x <- model.matrix(gaus); y <- out$drivers; rho <- 0
for (i in 1:500) {
  w <- function(z) { z <- as.matrix(z); rbind(sqrt(1 - rho^2) * z[1, , drop = FALSE], z[-1, , drop = FALSE] - rho * z[-n, , drop = FALSE]) }
  fit <- lm.fit(w(x), w(y)); e <- as.vector(y - x %*% fit$coefficients)
  new <- sum(e[-1] * e[-n]) / sum(e[-n]^2); if (abs(new - rho) < 1e-13) break; rho <- new
}
g <- gls(drivers ~ t + D + S + m, data = out, correlation = corAR1(rho, fixed = TRUE), method = "REML")
two <- rbind(cbind(out, T = 1, y = out$drivers), cbind(out, T = 0, y = out$rear))
pair <- glm(y ~ t + D + S + s1 + c1 + s2 + c2 + T + T:t + T:D + T:S, family = quasipoisson, data = two)
tp <- c("D:T", "S:T")
ljung <- Box.test(residuals(pois, "pearson"), lag = 12, type = "Ljung-Box")
num <- function(v) paste0("[", paste(format(v, digits = 15), collapse = ", "), "]")
item <- function(name, l) paste0('"', name, '": {', paste(sprintf('"%s": %s', names(l), sapply(l, num)), collapse = ", "), "}")
writeLines(paste0("{", paste(c(
  item("quasi_months", show(quasi, vcov(quasi), dispersion = summary(quasi)$dispersion)),
  item("quasi_newey_west_4", show(quasi, hac(quasi, 4))),
  item("poisson_harmonic", show(pois, vcov(pois), ljung = c(ljung$statistic, ljung$p.value))),
  item("negative_binomial", show(nb, vcov(nb), alpha = 1 / nb$theta)),
  item("gaussian", show(gaus, vcov(gaus))),
  item("gaussian_newey_west_4", show(gaus, hac(gaus, 4))),
  item("prais_winsten", list(coefficient = unname(fit$coefficients[c("D", "S")]), rho = rho)),
  item("gls_at_rho", show(g, vcov(g))),
  item("pair_quasi", list(coefficient = unname(coef(pair)[tp]), std_error = unname(sqrt(diag(vcov(pair)))[tp])))
), collapse = ",\n"), "}"), "seat_belts.json")
