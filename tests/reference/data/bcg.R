# Writes bcg.csv (beside this file) and prints the answers of metafor that test_colditz_1994_bcg.py holds.
# Data: Colditz GA and others (1994), Efficacy of BCG vaccine in the prevention of tuberculosis, JAMA 271(9):698-702;
# as dat.bcg in the R package metadat (GPL). Run with R 4.2 and metafor 3.8-1: Rscript bcg.R
library(metafor)
about <- paste("# dat.bcg of the R package metadat (Colditz and others 1994, JAMA 271:698-702):",
               "13 trials of BCG vaccine against tuberculosis, 2x2 counts")
writeLines(about, "bcg.csv")
suppressWarnings(write.table(dat.bcg, "bcg.csv", sep = ",", row.names = FALSE, append = TRUE))
show <- function(...) cat(..., "\n")
digits <- function(x) format(as.numeric(x), digits = 12)
tight <- list(tol = 1e-12, threshold = 1e-12, maxiter = 1000)
trials <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
for (method in c("DL", "PM", "REML", "ML", "EE")) for (test in c("z", "knha")) {
  fit <- rma(yi, vi, data = trials, method = method, test = test, control = tight)
  around <- predict(fit)
  show(method, test, digits(c(fit$b, fit$se, fit$ci.lb, fit$ci.ub, fit$pval, fit$tau2, around$pi.lb, around$pi.ub)))
}
fit <- rma(yi, vi, data = trials, control = tight)
show("Q-profile", digits(confint(fit, control = list(tol = 1e-12))$random))
show("Egger", digits(regtest(fit)$zval), digits(regtest(fit, model = "lm")$zval))
show("leave one out", digits(leave1out(fit)$estimate))
show("cumulative", digits(cumul(fit, order = year)$estimate))
for (test in c("z", "knha")) {
  model <- rma(yi, vi, mods = ~ ablat + year, data = trials, test = test, control = tight)
  show("ablat + year", test, digits(c(model$b, model$se, model$tau2, model$R2, model$QM, model$QMp)))
}
for (method in c("DL", "PM", "ML", "REML")) {
  model <- rma(yi, vi, mods = ~ ablat, data = trials, method = method, control = tight)
  show("ablat", method, digits(c(model$b, model$se, model$tau2)))
}
model <- rma(yi, vi, mods = ~ alloc, data = trials, control = tight)
show("alloc", digits(c(model$b, model$se, model$tau2, model$QM, model$QMp)))
for (measure in c("OR", "RD")) {
  other <- escalc(measure = measure, ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
  show(measure, digits(other$yi), digits(other$vi))
}
rates <- escalc(measure = "IRR", x1i = tpos, t1i = tpos + tneg, x2i = cpos, t2i = cpos + cneg, data = dat.bcg)
show("IRR", digits(rates$yi), digits(rates$vi))
means <- escalc(measure = "SMD", m1i = c(10, 5.5), sd1i = c(3, 2), n1i = c(20, 12), m2i = c(8.5, 6),
                sd2i = c(3.2, 1.5), n2i = c(25, 15))
show("SMD", digits(means$yi), digits(means$vi))
for (measure in c("OR", "RR")) {
  empty <- escalc(measure = measure, ai = c(0, 3), bi = c(10, 7), ci = c(4, 0), di = c(6, 10))
  show("zero cells", measure, digits(empty$yi), digits(empty$vi))
}
