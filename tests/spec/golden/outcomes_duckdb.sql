WITH "t12" AS (
  SELECT
    "t2"."person_id",
    "t2"."index_date",
    "t2"."points",
    COALESCE("t11"."prior_offences", 0) AS "prior_offences"
  FROM "people" AS "t2"
  LEFT OUTER JOIN (
    SELECT
      "t9"."person_id",
      "t9"."index_date",
      SUM(CAST("t9"."conviction_date" >= "t9"."_from_36" AS INT)) AS "prior_offences"
    FROM (
      SELECT
        "t8"."person_id",
        "t8"."index_date",
        "t8"."_from_36",
        "t6"."person_id" AS "person_id_right",
        "t6"."conviction_date"
      FROM (
        SELECT
          "t0"."person_id",
          "t0"."index_date",
          "t0"."index_date" - INTERVAL '36' MONTH AS "_from_36"
        FROM "people" AS "t0"
      ) AS "t8"
      INNER JOIN (
        SELECT
          "t1"."person_id",
          "t1"."conviction_date"
        FROM "offences" AS "t1"
      ) AS "t6"
        ON "t8"."person_id" = "t6"."person_id"
        AND "t6"."conviction_date" < "t8"."index_date"
        AND "t6"."conviction_date" >= "t8"."_from_36"
    ) AS "t9"
    GROUP BY
      1,
      2
  ) AS "t11"
    ON "t2"."person_id" = "t11"."person_id" AND "t2"."index_date" = "t11"."index_date"
)
SELECT
  "t22"."person_id",
  "t22"."index_date",
  "t22"."points",
  "t22"."prior_offences",
  CASE
    WHEN "t22"."_mature_12_6"
    THEN CAST(COALESCE("t22"."_n_12_6", 0) > 0 AS BIGINT)
    ELSE NULL
  END AS "reoffended",
  CASE
    WHEN DATE_DIFF('DAY', "t22"."index_date", "t22"."_end_12_6") > 0
    THEN COALESCE(
      DATE_DIFF('DAY', "t22"."index_date", "t22"."_first_12_6"),
      DATE_DIFF('DAY', "t22"."index_date", "t22"."_end_12_6")
    )
    ELSE NULL
  END AS "reoffended_time",
  CASE
    WHEN DATE_DIFF('DAY', "t22"."index_date", "t22"."_end_12_6") > 0
    THEN CAST(COALESCE("t22"."_n_12_6", 0) > 0 AS BIGINT)
    ELSE NULL
  END AS "reoffended_event",
  CASE WHEN "t22"."_mature_12_6" THEN COALESCE("t22"."_n_12_6", 0) ELSE NULL END AS "reoffences",
  CASE
    WHEN "t22"."_mature_12_6"
    THEN DATE_DIFF('DAY', "t22"."index_date", "t22"."_first_12_6")
    ELSE NULL
  END AS "days",
  CASE
    WHEN DATE_DIFF('DAY', "t22"."index_date", "t22"."_end_12_6") > 0
    THEN COALESCE(
      DATE_DIFF('DAY', "t22"."index_date", "t22"."_first_12_6"),
      DATE_DIFF('DAY', "t22"."index_date", "t22"."_end_12_6")
    )
    ELSE NULL
  END AS "days_time",
  CASE
    WHEN DATE_DIFF('DAY', "t22"."index_date", "t22"."_end_12_6") > 0
    THEN CAST(COALESCE("t22"."_n_12_6", 0) > 0 AS BIGINT)
    ELSE NULL
  END AS "days_event",
  CASE
    WHEN "t22"."_mature_12_6" AND (
      COALESCE("t22"."_blank_harm", 0) = 0
    )
    THEN COALESCE(CAST("t22"."_sum_harm" AS DOUBLE), 0)
    ELSE NULL
  END AS "harm",
  CASE
    WHEN "t22"."_mature_12_6" AND (
      COALESCE("t22"."_blank_harm", 0) = 0
    )
    THEN COALESCE(CAST("t22"."_most_harm" AS DOUBLE), 0)
    ELSE NULL
  END AS "harm_largest",
  "t22"."score"
FROM (
  SELECT
    "t21"."person_id",
    "t21"."index_date",
    "t21"."points",
    "t21"."prior_offences",
    "t21"."score",
    "t21"."_person_id_of_counts",
    "t21"."_index_date_of_counts",
    "t21"."_n_12_6",
    "t21"."_first_12_6",
    "t21"."_sum_harm",
    "t21"."_most_harm",
    "t21"."_blank_harm",
    "t21"."index_date" + INTERVAL '12' MONTH AS "_until_12",
    "t21"."index_date" + INTERVAL '18' MONTH AS "_settled_18",
    (
      "t21"."index_date" + INTERVAL '18' MONTH
    ) <= MAKE_DATE(2020, 12, 31) AS "_mature_12_6",
    CASE
      WHEN (
        "t21"."index_date" + INTERVAL '18' MONTH
      ) <= MAKE_DATE(2020, 12, 31)
      THEN "t21"."index_date" + INTERVAL '12' MONTH
      ELSE LEAST(
        "t21"."index_date" + INTERVAL '12' MONTH,
        MAKE_DATE(2020, 12, 31) - INTERVAL '6' MONTH
      )
    END AS "_end_12_6"
  FROM (
    SELECT
      "t15"."person_id",
      "t15"."index_date",
      "t15"."points",
      "t15"."prior_offences",
      "t15"."score",
      "t20"."person_id" AS "_person_id_of_counts",
      "t20"."index_date" AS "_index_date_of_counts",
      "t20"."_n_12_6",
      "t20"."_first_12_6",
      "t20"."_sum_harm",
      "t20"."_most_harm",
      "t20"."_blank_harm"
    FROM (
      SELECT
        "t13"."person_id",
        "t13"."index_date",
        "t13"."points",
        "t13"."prior_offences",
        "t13"."points" AS "score"
      FROM "t12" AS "t13"
    ) AS "t15"
    LEFT OUTER JOIN (
      SELECT
        "t18"."person_id",
        "t18"."index_date",
        SUM(
          CAST((
            "t18"."offence_date" <= "t18"."_end_12_6"
          )
          AND (
            "t18"."conviction_date" <= "t18"."_settled_18"
          ) AS INT)
        ) AS "_n_12_6",
        MIN("t18"."offence_date") FILTER(WHERE
          (
            "t18"."offence_date" <= "t18"."_end_12_6"
          )
          AND (
            "t18"."conviction_date" <= "t18"."_settled_18"
          )) AS "_first_12_6",
        SUM(CAST("t18"."harm_days" AS DECIMAL(38, 9))) FILTER(WHERE
          (
            "t18"."offence_date" <= "t18"."_end_12_6"
          )
          AND (
            "t18"."conviction_date" <= "t18"."_settled_18"
          )) AS "_sum_harm",
        MAX(CAST("t18"."harm_days" AS DECIMAL(38, 9))) FILTER(WHERE
          (
            "t18"."offence_date" <= "t18"."_end_12_6"
          )
          AND (
            "t18"."conviction_date" <= "t18"."_settled_18"
          )) AS "_most_harm",
        SUM(
          CAST((
            "t18"."offence_date" <= "t18"."_end_12_6"
          )
          AND (
            "t18"."conviction_date" <= "t18"."_settled_18"
          )
          AND (
            "t18"."harm_days" IS NULL
          ) AS INT)
        ) AS "_blank_harm"
      FROM (
        SELECT
          "t17"."person_id",
          "t17"."index_date",
          "t17"."_until_12",
          "t17"."_settled_18",
          "t17"."_mature_12_6",
          "t17"."_end_12_6",
          "t7"."person_id" AS "person_id_right",
          "t7"."offence_date",
          "t7"."conviction_date",
          "t7"."harm_days"
        FROM (
          SELECT
            "t13"."person_id",
            "t13"."index_date",
            "t13"."index_date" + INTERVAL '12' MONTH AS "_until_12",
            "t13"."index_date" + INTERVAL '18' MONTH AS "_settled_18",
            (
              "t13"."index_date" + INTERVAL '18' MONTH
            ) <= MAKE_DATE(2020, 12, 31) AS "_mature_12_6",
            CASE
              WHEN (
                "t13"."index_date" + INTERVAL '18' MONTH
              ) <= MAKE_DATE(2020, 12, 31)
              THEN "t13"."index_date" + INTERVAL '12' MONTH
              ELSE LEAST(
                "t13"."index_date" + INTERVAL '12' MONTH,
                MAKE_DATE(2020, 12, 31) - INTERVAL '6' MONTH
              )
            END AS "_end_12_6"
          FROM "t12" AS "t13"
        ) AS "t17"
        INNER JOIN (
          SELECT
            *
          FROM "offences" AS "t1"
        ) AS "t7"
          ON "t17"."person_id" = "t7"."person_id"
          AND "t7"."offence_date" > "t17"."index_date"
          AND "t7"."offence_date" <= "t17"."_until_12"
          AND "t7"."conviction_date" <= MAKE_DATE(2020, 12, 31)
      ) AS "t18"
      GROUP BY
        1,
        2
    ) AS "t20"
      ON "t15"."person_id" = "t20"."person_id" AND "t15"."index_date" = "t20"."index_date"
  ) AS "t21"
) AS "t22"
