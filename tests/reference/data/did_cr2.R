# CR2 errors and Satterthwaite degrees of freedom by clubSandwich for the two-way model with dummies.
# Rscript did_cr2.R > did_cr2.json
suppressMessages(library(clubSandwich))
here <- "."
d <- read.csv(file.path(here, "mpdta.csv"))
d$treated <- as.numeric(d$first.treat > 0 & d$year >= d$first.treat)
few <- unique(d$countyreal[d$first.treat == 2006])[1:4]
rest <- unique(d$countyreal[d$first.treat == 0])[1:8]
answer <- function(x) {
  fit <- lm(lemp ~ treated + factor(year) + factor(countyreal), data = x)
  test <- coef_test(fit, vcov = "CR2", cluster = x$countyreal, test = "Satterthwaite", coefs = "treated")
  sprintf("[%.12g, %.12g, %.12g, %.12g]", test$beta, test$SE, test$df, test$p_Satt)
}
twelve <- d[d$countyreal %in% c(few, rest), ]
gap <- twelve[-c(3, 17, 41), ]
states <- d[d$first.treat %in% c(0, 2006), ]
states$state <- states$countyreal %/% 1000
post <- as.numeric(states$year >= 2006); arm <- as.numeric(states$first.treat == 2006)
fit <- lm(lemp ~ arm * post, data = states)
four <- coef_test(fit, vcov = "CR2", cluster = states$countyreal, test = "Satterthwaite", coefs = "arm:post")
cat(sprintf('{"twelve": %s,\n "gap": %s,\n "four_means": [%.12g, %.12g, %.12g, %.12g]}\n',
  answer(twelve), answer(gap), four$beta, four$SE, four$df, four$p_Satt))
