"""Before anything is simulated: can each design carry its own load, in kW, in hours, with one part less?"""
