# Writes mice.csv (400 invented people with covariates missing at random) and mice.json: R 4.2.2, mice 3.15.0.
# Rscript mice.R, in this folder. The random people and R's 100 imputations have fixed seeds.
suppressMessages(library(mice))

set.seed(20)
n <- 400
treated <- rep(0:1, n / 2)
age <- round(18 + rgamma(n, 2, 0.12), 1)
sex <- ifelse(runif(n) < plogis(-0.5 + 0.02 * (age - 30)), "woman", "man")
area <- c("east", "north", "west")[1 + rbinom(n, 2, plogis((age - 34) / 12))]
back <- rbinom(n, 1, plogis(0.6 - 0.04 * (age - 30) - 0.5 * treated - 0.4 * (sex == "woman") + 0.3 * (area == "west")))
full <- data.frame(person = seq_len(n), treated, back, age, sex, area)
gone <- function(line) runif(n) < plogis(line)
frame <- full
frame$age[gone(-1.2 + 0.8 * back)] <- NA
frame$sex[gone(-1.6 + 0.6 * treated)] <- NA
frame$area[gone(-1.5 + 0.5 * back - 0.5 * treated)] <- NA
write.csv(frame, "mice.csv", row.names = FALSE, na = "", quote = FALSE)

frame$sex <- factor(frame$sex)
frame$area <- factor(frame$area)
m <- 100
drawn <- mice(
  frame[-1], m = m, maxit = 10, seed = 5, printFlag = FALSE,
  method = c(treated = "", back = "", age = "pmm", sex = "logreg", area = "polyreg")
)
fits <- with(drawn, lm(back ~ treated + age + (sex == "woman") + (area == "north") + (area == "west")))
pooled <- pool(fits)$pooled
ages <- sapply(seq_len(m), function(i) mean(complete(drawn, i)$age))
women <- sapply(seq_len(m), function(i) mean(complete(drawn, i)$sex == "woman"))
west <- sapply(seq_len(m), function(i) mean(complete(drawn, i)$area == "west"))

# The formulas alone: five estimates and variances, with and without the degrees of freedom of the complete data.
values <- c(-0.11, -0.08, -0.14, -0.10, -0.12)
variances <- c(0.0021, 0.0020, 0.0023, 0.0022, 0.0021)
keep <- c("qbar", "ubar", "b", "t", "df", "r", "fmi")
large <- pool.scalar(values, variances, n = Inf)[keep]
small <- pool.scalar(values, variances, n = 60, k = 4)[keep]

number <- function(x) trimws(formatC(x, digits = 15, format = "g"))
object <- function(x) paste0("{", paste0('"', names(x), '": ', number(unlist(x)), collapse = ", "), "}")
rows <- sapply(seq_len(nrow(pooled)), function(i) {
  row <- pooled[i, c("estimate", "ubar", "b", "t", "dfcom", "df", "riv", "lambda", "fmi")]
  paste0('  "', c("constant", "treated", "age", "woman", "north", "west")[i], '": ', object(row))
})
means <- sapply(list(age = ages, woman = women, west = west), function(x) paste0("[", number(mean(x)), ", ", number(sd(x)), "]"))
writeLines(c(
  "{", paste0(' "m": ', m, ","),
  paste0(' "values": [', paste(number(values), collapse = ", "), "],"),
  paste0(' "variances": [', paste(number(variances), collapse = ", "), "],"),
  paste0(' "large": ', object(large), ","), paste0(' "small": ', object(small), ","),
  paste0(' "means": {', paste0('"', names(means), '": ', means, collapse = ", "), "},"),
  ' "pooled": {', paste(rows, collapse = ",\n"), " }", "}"
), "mice.json")
