"""Training and scoring of detectors; needs the extra ``[ultralytics]`` except for the scoring."""
