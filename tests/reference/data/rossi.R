# Frozen values of base R, survival and sandwich on rossi.csv. Run in this folder: Rscript rossi.R > rossi.json
suppressMessages({library(survival); library(sandwich)})
d <- read.csv("rossi.csv")
d$w <- 1 + (seq_len(nrow(d)) - 1) %% 3 / 2
d$block <- (seq_len(nrow(d)) - 1) %/% 4
d$fine <- d$week + d$age / 100
d$cause <- factor(ifelse(d$arrest == 0, 0, ifelse(d$prio > 2, 2, 1)), 0:2, c("censor", "few", "many"))
out <- list()
t <- t.test(arrest ~ fin, data = d)
out$welch <- c(statistic = -unname(t$statistic), df = unname(t$parameter), p = t$p.value)
m <- lm(arrest ~ fin, data = d, weights = w)
out$weighted_rd <- c(estimate = unname(coef(m)[2]), hc1 = sqrt(vcovHC(m, "HC1")[2, 2]),
                     cluster = sqrt(vcovCL(m, d$block, type = "HC1")[2, 2]))
g <- glm(prio ~ fin, data = d, family = poisson)
out$rate_ratio <- c(ratio = unname(exp(coef(g)[2])), hc1 = sqrt(vcovHC(g, "HC0")[2, 2] * 432 / 430),
                    quasi = summary(glm(prio ~ fin, data = d, family = quasipoisson))$coefficients[2, 2])
nb <- MASS::glm.nb(prio ~ fin, data = d, control = glm.control(epsilon = 1e-12, maxit = 100))
out$negative_binomial <- c(se = summary(nb)$coefficients[2, 2], theta = nb$theta)
l <- glm(arrest ~ fin + age + prio, data = d, family = binomial)
d1 <- transform(d, fin = 1); d0 <- transform(d, fin = 0)
out$g_computation <- c(ate = mean(predict(l, d1, "response") - predict(l, d0, "response")),
                       att = mean((predict(l, d1, "response") - predict(l, d0, "response"))[d$fin == 1]))
for (tie in c("efron", "breslow")) for (time in c("week", "fine")) {
  f <- as.formula(paste0("Surv(", time, ", arrest) ~ fin + age + prio"))
  plain <- coxph(f, d, ties = tie)
  weighted <- coxph(f, d, ties = tie, weights = w, cluster = block)
  robust <- coxph(f, d, ties = tie, robust = TRUE)
  out[[paste("cox", tie, time, sep = "_")]] <- list(
    coef = coef(plain), se = sqrt(diag(vcov(plain))), loglik = plain$loglik, robust = sqrt(diag(vcov(robust))),
    weighted_coef = coef(weighted), weighted_robust = sqrt(diag(vcov(weighted))),
    weighted_naive = sqrt(diag(weighted$naive.var)))
}
full <- coxph(Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio, d)
breslow <- coxph(Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio, d, ties = "breslow")
for (how in c("km", "rank", "identity", "log")) {
  out[[paste0("zph_", how)]] <- cox.zph(full, transform = how)$table[, "chisq"]
  out[[paste0("zph_breslow_", how)]] <- cox.zph(breslow, transform = how)$table[, "chisq"]
}
km <- summary(survfit(Surv(week, arrest) ~ fin, d, conf.type = "log-log"), times = c(20, 52))
out$km <- list(surv = km$surv, se = km$std.err, lower = km$lower, upper = km$upper, at_risk = km$n.risk)
kw <- summary(survfit(Surv(week, arrest) ~ fin, d, weights = w, robust = TRUE), times = c(20, 52))
out$km_weighted <- list(surv = kw$surv, se = kw$std.err)
aj <- summary(survfit(Surv(week, cause) ~ fin, d), times = c(20, 52))
out$aalen_johansen <- list(few = aj$pstate[, 2], se = aj$std.err[, 2])
aw <- summary(survfit(Surv(week, cause) ~ fin, d, weights = w), times = c(20, 52))
out$aalen_johansen_weighted <- list(few = aw$pstate[, 2], se = aw$std.err[, 2])
apart <- function(first, second, scale) unname(c(scale * (second[1] - first[1]), scale * sqrt(first[2]^2 + second[2]^2)))
for (k in 0:1) {
  part <- d[d$wexp == k, ]
  fit <- coxph(Surv(week, arrest) ~ fin, part)
  km <- survfit(Surv(week, arrest) ~ fin, part)
  at <- summary(km, times = 40)
  mean40 <- summary(km, rmean = 40)$table
  few <- summary(survfit(Surv(week, cause) ~ fin, part), times = 40)
  out[[paste0("experience_", k)]] <- list(
    cox = c(coef(fit)[[1]], sqrt(vcov(fit))[1, 1]),
    kaplan_meier = apart(c(at$surv[1], at$std.err[1]), c(at$surv[2], at$std.err[2]), 100),
    rmst = apart(mean40[1, c("rmean", "se(rmean)")], mean40[2, c("rmean", "se(rmean)")], 1),
    aalen_johansen = apart(c(few$pstate[1, 2], few$std.err[1, 2]), c(few$pstate[2, 2], few$std.err[2, 2]), 100))
}
out$experience_differs <- sapply(c("cox", "kaplan_meier", "rmst", "aalen_johansen"), function(name) {
  first <- out$experience_0[[name]]
  second <- out$experience_1[[name]]
  metafor::rma(yi = c(first[1], second[1]), sei = c(first[2], second[2]), method = "FE")$QE
})
json <- function(x) {
  if (is.list(x)) return(paste0("{", paste0('"', names(x), '": ', sapply(x, json), collapse = ", "), "}"))
  number <- format(unname(x), digits = 12, scientific = FALSE, trim = TRUE)
  if (is.null(names(x))) return(paste0("[", paste(number, collapse = ", "), "]"))
  paste0("{", paste0('"', names(x), '": ', number, collapse = ", "), "}")
}
cat("{\n", paste0(' "', names(out), '": ', sapply(out, json), collapse = ",\n"), "\n}\n", sep = "")
