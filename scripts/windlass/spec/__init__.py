"""The nouns: what windlass reads, writes and talks about. Nothing here touches a network, a process or Airflow."""
