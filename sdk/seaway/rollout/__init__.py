"""The canary judge and the rollout that it steers."""
