SELECT
  "t18"."person_id",
  "t18"."index_date",
  IF(
    (
      (
        "t18"."index_date" + INTERVAL '18' MONTH
      ) <= FROM_ISO8601_DATE('2024-12-31')
    )
    AND (
      COALESCE("t18"."_blank_harm", 0) = 0
    ),
    COALESCE(CAST("t18"."_sum_harm" AS DOUBLE), 0),
    NULL
  ) AS "harm",
  IF(
    (
      (
        "t18"."index_date" + INTERVAL '18' MONTH
      ) <= FROM_ISO8601_DATE('2024-12-31')
    )
    AND (
      COALESCE("t18"."_blank_harm", 0) = 0
    ),
    COALESCE(CAST("t18"."_most_harm" AS DOUBLE), 0),
    NULL
  ) AS "harm_largest",
  IF(
    (
      "t18"."index_date" + INTERVAL '18' MONTH
    ) <= FROM_ISO8601_DATE('2024-12-31'),
    COALESCE("t18"."_n_12_6_thefts", 0),
    NULL
  ) AS "thefts"
FROM (
  SELECT
    "t5"."person_id",
    "t5"."index_date",
    "t17"."person_id" AS "_person_id_of_counts",
    "t17"."index_date" AS "_index_date_of_counts",
    "t17"."_n_12_6_harm",
    "t17"."_first_12_6_harm",
    "t17"."_sum_harm",
    "t17"."_most_harm",
    "t17"."_blank_harm",
    "t17"."_n_12_6_thefts",
    "t17"."_first_12_6_thefts"
  FROM (
    SELECT
      *
    FROM "people" AS "t0"
  ) AS "t5"
  LEFT OUTER JOIN (
    SELECT
      "t15"."person_id",
      "t15"."index_date",
      SUM(
        CAST((
          "t15"."offence_date" <= "t15"."_end_12_6"
        )
        AND (
          "t15"."conviction_date" <= "t15"."_settled_18"
        )
        AND NOT (
          COALESCE("t15"."offence_type", '') IN ('drug possession')
        ) AS INTEGER)
      ) AS "_n_12_6_harm",
      MIN("t15"."offence_date") FILTER(WHERE
        (
          "t15"."offence_date" <= "t15"."_end_12_6"
        )
        AND (
          "t15"."conviction_date" <= "t15"."_settled_18"
        )
        AND NOT (
          COALESCE("t15"."offence_type", '') IN ('drug possession')
        )) AS "_first_12_6_harm",
      SUM(CAST("t15"."_table_harm_days_median" AS DECIMAL(38, 9))) FILTER(WHERE
        (
          "t15"."offence_date" <= "t15"."_end_12_6"
        )
        AND (
          "t15"."conviction_date" <= "t15"."_settled_18"
        )
        AND NOT (
          COALESCE("t15"."offence_type", '') IN ('drug possession')
        )) AS "_sum_harm",
      MAX(CAST("t15"."_table_harm_days_median" AS DECIMAL(38, 9))) FILTER(WHERE
        (
          "t15"."offence_date" <= "t15"."_end_12_6"
        )
        AND (
          "t15"."conviction_date" <= "t15"."_settled_18"
        )
        AND NOT (
          COALESCE("t15"."offence_type", '') IN ('drug possession')
        )) AS "_most_harm",
      SUM(
        CAST((
          "t15"."offence_date" <= "t15"."_end_12_6"
        )
        AND (
          "t15"."conviction_date" <= "t15"."_settled_18"
        )
        AND NOT (
          COALESCE("t15"."offence_type", '') IN ('drug possession')
        )
        AND (
          "t15"."_table_harm_days_median" IS NULL
        ) AS INTEGER)
      ) AS "_blank_harm",
      SUM(
        CAST((
          "t15"."offence_date" <= "t15"."_end_12_6"
        )
        AND (
          "t15"."conviction_date" <= "t15"."_settled_18"
        )
        AND COALESCE("t15"."offence_type", '') IN ('theft') AS INTEGER)
      ) AS "_n_12_6_thefts",
      MIN("t15"."offence_date") FILTER(WHERE
        (
          "t15"."offence_date" <= "t15"."_end_12_6"
        )
        AND (
          "t15"."conviction_date" <= "t15"."_settled_18"
        )
        AND COALESCE("t15"."offence_type", '') IN ('theft')) AS "_first_12_6_thefts"
    FROM (
      SELECT
        "t9"."person_id",
        "t9"."index_date",
        "t9"."_until_12",
        "t9"."_settled_18",
        "t9"."_mature_12_6",
        "t9"."_end_12_6",
        "t6"."person_id" AS "person_id_right",
        "t6"."offence_date",
        "t6"."conviction_date",
        "t6"."offence_type",
        "t14"."type__table_harm_days_median",
        "t14"."_table_harm_days_median"
      FROM (
        SELECT
          "t0"."person_id",
          "t0"."index_date",
          "t0"."index_date" + INTERVAL '12' MONTH AS "_until_12",
          "t0"."index_date" + INTERVAL '18' MONTH AS "_settled_18",
          (
            "t0"."index_date" + INTERVAL '18' MONTH
          ) <= FROM_ISO8601_DATE('2024-12-31') AS "_mature_12_6",
          IF(
            (
              "t0"."index_date" + INTERVAL '18' MONTH
            ) <= FROM_ISO8601_DATE('2024-12-31'),
            "t0"."index_date" + INTERVAL '12' MONTH,
            LEAST(
              "t0"."index_date" + INTERVAL '12' MONTH,
              FROM_ISO8601_DATE('2024-12-31') - INTERVAL '6' MONTH
            )
          ) AS "_end_12_6"
        FROM "people" AS "t0"
      ) AS "t9"
      INNER JOIN (
        SELECT
          *
        FROM "offences" AS "t1"
      ) AS "t6"
        ON "t9"."person_id" = "t6"."person_id"
        AND "t6"."offence_date" > "t9"."index_date"
        AND "t6"."offence_date" <= "t9"."_until_12"
        AND "t6"."conviction_date" <= FROM_ISO8601_DATE('2024-12-31')
      LEFT OUTER JOIN (
        SELECT
          "t12"."offence_type" AS "type__table_harm_days_median",
          "t12"."weight" AS "_table_harm_days_median"
        FROM (
          SELECT
            "t11"."offence_type",
            CAST(SUM("t11"."weight") AS DOUBLE) / COUNT("t11"."weight") AS "weight"
          FROM (
            SELECT
              *
            FROM (
              SELECT
                "t7"."offence_type",
                "t7"."weight",
                (
                  ROW_NUMBER() OVER (PARTITION BY "t7"."offence_type" ORDER BY "t7"."weight" ASC) - 1
                ) + 1 AS "place",
                COUNT("t7"."weight") OVER (
                  PARTITION BY "t7"."offence_type"
                  ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ) AS "number"
              FROM (
                SELECT
                  "t2"."offence_type",
                  CAST("t2"."harm_days" AS DECIMAL(38, 9)) AS "weight"
                FROM "table" AS "t2"
                WHERE
                  "t2"."offence_type" IS NOT NULL AND "t2"."harm_days" IS NOT NULL
              ) AS "t7"
            ) AS "t10"
            WHERE
              (
                "t10"."place" * 2
              ) >= "t10"."number"
              AND (
                "t10"."place" * 2
              ) <= (
                "t10"."number" + 2
              )
          ) AS "t11"
          GROUP BY
            1
        ) AS "t12"
      ) AS "t14"
        ON "t6"."offence_type" = "t14"."type__table_harm_days_median"
    ) AS "t15"
    GROUP BY
      1,
      2
  ) AS "t17"
    ON "t5"."person_id" = "t17"."person_id" AND "t5"."index_date" = "t17"."index_date"
) AS "t18"
