# Past months of R's own `Seatbelts` before the law of 31 January 1983: their quasi-Poisson dispersion, and the error
# that it gives the ratio of two years' counts. Writes seat_belts_dispersion.json beside this file.
drivers <- as.numeric(Seatbelts[, "drivers"])
vans <- as.numeric(Seatbelts[, "VanKilled"])
n <- length(drivers)
time <- seq_len(n)
month <- factor((time - 1) %% 12)
past <- time <= 169
two <- function(y, dispersion) {
  counts <- c(sum(y[158:169]), sum(y[170:181]))
  found <- summary(glm(counts ~ c(0, 1), family = poisson), dispersion = dispersion)$coefficients
  list(before = counts[1], after = counts[2], log_ratio = unname(found[2, 1]), std_error = unname(found[2, 2]))
}
one <- function(y, formula) {
  frame <- data.frame(y = y, time = time, month = month)[past, ]
  fit <- glm(formula, family = quasipoisson, data = frame, control = list(epsilon = 1e-14, maxit = 100))
  phi <- summary(fit)$dispersion
  c(list(dispersion = phi, df = fit$df.residual), two(y, phi))
}
out <- list(
  drivers_mean = one(drivers, y ~ 1),
  drivers_trend_months = one(drivers, y ~ time + month),
  vans_mean = one(vans, y ~ 1),
  vans_trend = one(vans, y ~ time)
)
number <- function(x) format(x, digits = 15)
item <- function(x) paste0("{", paste0("\"", names(x), "\": ", sapply(x, number), collapse = ", "), "}")
lines <- paste0("  \"", names(out), "\": ", sapply(out, item), collapse = ",\n")
cat("{\n", lines, "\n}\n", sep = "", file = "tests/reference/data/seat_belts_dispersion.json")
