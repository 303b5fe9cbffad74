# The area under the curve with DeLong's error and interval (pROC), and the calibration of risk_score.csv by glm.
# Run: Rscript risk_score.R   (writes risk_score_r.json)
library(pROC)
rows <- read.csv("risk_score.csv")
answers <- function(part) {
  curve <- roc(part$harmed, part$score, direction = "<", quiet = TRUE)
  line <- qlogis(part$score)
  slope <- summary(glm(harmed ~ line, binomial, part, control = list(epsilon = 1e-14)))$coefficients["line", 1:2]
  large <- summary(glm(harmed ~ 1 + offset(line), binomial, part, control = list(epsilon = 1e-14)))$coefficients[1, 1:2]
  show <- function(x) paste0("[", paste(sprintf("%.12g", x), collapse = ", "), "]")
  sprintf('{"auc": %s, "variance": %.12g, "slope": %s, "in_the_large": %s}',
          show(as.numeric(ci.auc(curve, method = "delong"))), var(curve, method = "delong"), show(slope), show(large))
}
parts <- c(all = answers(rows), sapply(split(rows, rows$group), answers))
lines <- sprintf(' "%s": %s', names(parts), parts)
writeLines(c("{", paste0(lines, ","), sprintf(' "versions": {"R": "%s", "pROC": "%s"}', getRversion(), packageVersion("pROC")), "}"),
           "risk_score_r.json")
