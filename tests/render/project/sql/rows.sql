-- all rows
SELECT *
FROM t
WHERE day = '{{ ds }}'
